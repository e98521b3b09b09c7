/** Operations that packages declare, run in real jails: what the functions get, and what becomes of what they return. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Actor } from "../../packages/server/src/engine/invocation.ts";
import type { JsonObject, Operation } from "../../packages/core/src/operations/operation.ts";
import type { OperationCall } from "../../packages/server/src/operations/operations.ts";
import { PackageOperations } from "../../packages/server/src/operations/function-defined/package-operations.ts";
import { SCOPE, startSnapInHost, type SnapInHost } from "./snap-in-host.ts";

const ACTOR: Actor = { kind: "key", keyId: "admin", scopes: ["admin"] };
const METHODS = { schema: "OperationMethod_NameEnumSchemaHandler", activate: "OperationMethod_NameEnumActivateHook" };

const operation = (slug: string, rest = "") => `  - name: ${slug}
    display_name: ${slug}
    description: For tests.
    slug: ${slug}
    function: operate
${rest}    inputs:
      fields:
        - name: city
          description: A city.
          field_type: text
          is_required: true
    outputs:
      fields:
        - name: temperature
          description: In Fahrenheit.
          field_type: double
`;

const FILES = {
  "manifest.yaml": `version: "2"
name: weather
description: For tests.
service_account:
  display_name: Weather
  scopes:
    self:
      - scope: ticket:read
    impersonate:
      - act_as: all_devusers
        scopes:
          - scope: ticket:read
functions:
  - name: operate
    description: All operations.
operations:
${operation("get_temperature", "    metadata: {is_agent_skill: true}\n    execute_options: {default_timeout: 45}\n")}${operation("ask", "    metadata: {has_schema_handler: true}\n    keyrings:\n      - {name: station, description: A key., display_name: Station, types: [snap_in_secret]}\n")}${operation("other")}${operation("watch", "    type: trigger\n")}`,
  "code/package.json": '{"name":"weather","main":"./dist/index.js"}',
  "code/dist/index.js": `
const CITIES = { Paris: 90 };
const lengthDelimited = (number, bytes) => Buffer.concat([Buffer.of(number * 8 + 2, bytes.length), bytes]);
const wrap = (bytes) => ({ serialization_format: 1, data: bytes.toString("base64") });
function temperature(city) {
  const message = Buffer.from("No such city.");
  if (!(city in CITIES)) return wrap(lengthDelimited(1, Buffer.concat([lengthDelimited(1, message), Buffer.of(0x10, 1)])));
  const number = Buffer.alloc(9);
  number[0] = 0x11;
  number.writeDoubleLE(CITIES[city], 1);
  const entry = Buffer.concat([lengthDelimited(1, Buffer.from("temperature")), lengthDelimited(2, number)]);
  return wrap(lengthDelimited(2, lengthDelimited(1, lengthDelimited(1, entry))));
}
async function run([event]) {
  const { metadata, data } = event.payload;
  const { operation_method: method } = event.execution_metadata;
  if (method === "${METHODS.schema}") {
    const fields = [{ name: "city", field_type: "enum", allowed_values: Object.keys(CITIES), is_required: true }];
    const json = { input_ports: [{ name: "default", schema: { field_descriptors: fields } }] };
    return { serialization_format: 2, data: Buffer.from(JSON.stringify(json)).toString("base64") };
  }
  if (method === "${METHODS.activate}" && data.city === "Nowhere") throw new Error("There is no such place.");
  if (method !== undefined) return;
  if (data.city === "throws") throw new Error("It rains.");
  if (data.city === "garbage") return { serialization_format: 1, data: "////" };
  if (metadata.slug === "get_temperature") return temperature(data.city);
  const { access_token: token, service_account_token: own } = event.context.secrets;
  return { output: { values: [{ payload: event.payload, metadata: event.execution_metadata, userId: event.context.user_id, keyrings: Object.keys(event.input_data.keyrings), hasToken: token !== "" && token !== own }] } };
}
module.exports = { functionFactory: { operate: run } };
`,
};

describe("operations of packages", () => {
  let host: SnapInHost;
  let operations: PackageOperations;

  beforeAll(async () => {
    host = await startSnapInHost();
    await host.upload("weather", FILES);
    operations = new PackageOperations({ database: host.database, packages: host.packages, engine: () => host.engine });
  }, 60_000);
  afterAll(async () => {
    await host.stop();
    await host.remove();
  });

  async function find(slug: string): Promise<Operation> {
    const found = (await operations.list(SCOPE)).find((each) => each.slug === slug);
    if (found === undefined) throw new Error(`There is no ${slug}.`);
    return found;
  }
  const callOf = (slug: string, input: JsonObject): OperationCall => ({
    scope: SCOPE,
    actor: ACTOR,
    operation: `weather/${slug}`,
    source: "native",
    input,
  });
  const execute = async (slug: string, input: JsonObject, more: Partial<OperationCall> = {}) =>
    await operations.execute(await find(slug), { ...callOf(slug, input), ...more });

  it("are listed as the manifest declares them", async () => {
    const found = await find("get_temperature");
    expect(found).toMatchObject({ namespace: "weather", origin: "package", type: "action", isAgentSkill: true, timeoutMs: 45_000 });
    expect(found.inputs[0]?.fields[0]).toMatchObject({ name: "city", isRequired: true });
    expect(await operations.list({ ...SCOPE, branch: "dev" })).toEqual([]);
  });

  it("answer in protobuf, with a value or with a refusal", async () => {
    const { result, outcome } = await execute("get_temperature", { city: "Paris" });
    expect(result).toEqual({ kind: "output", ports: [{ port: "default", values: [{ temperature: 90 }] }] });
    expect(outcome.status).toBe("succeeded");
    const refused = await execute("get_temperature", { city: "Atlantis" });
    expect(refused.result).toEqual({ kind: "error", error: { type: "invalidRequest", message: "No such city." } });
    expect(refused.outcome.status).toBe("succeeded");
  });

  it("fail when the function throws or returns what cannot be read", async () => {
    const thrown = await execute("ask", { city: "throws" });
    expect(thrown.outcome.status).toBe("failed");
    expect(thrown.result).toMatchObject({ kind: "error", error: { message: expect.stringContaining("It rains.") } });
    const garbage = await execute("ask", { city: "garbage" });
    expect(garbage.outcome).toMatchObject({ status: "failed", error: { code: "ReturnsValidation" } });
  });

  it("get the event of the contract, with the token of whoever asks and the keyrings of the operation alone", async () => {
    await host.keyrings.create(SCOPE, { name: "station", type: "snap_in_secret", fields: { secret: "s3cr3t-value" } });
    const { id } = await host.snapIns.install(SCOPE, { package: "weather" });
    await host.snapIns.activate(SCOPE, id);
    const { result } = await execute("ask", { city: "Rome" }, { userId: "don:identity:plinth:devo/default:devu/7" });
    expect(result).toMatchObject({
      ports: [
        {
          values: [
            {
              payload: { metadata: { slug: "ask", namespace: "weather", type: 1 }, input_port_name: "default", data: { city: "Rome" } },
              metadata: { event_type: "operation:execute", operation_slug: "ask", function_name: "operate" },
              userId: "don:identity:plinth:devo/default:devu/7",
              keyrings: ["station"],
              hasToken: true,
            },
          ],
        },
      ],
    });
    const other = await execute("other", { city: "Rome" });
    expect(other.result).toMatchObject({ ports: [{ values: [{ keyrings: [] }] }] });
  });

  it("F1: asks only those functions for a schema that know how to answer", async () => {
    const asked = await operations.schema(await find("ask"), callOf("ask", {}));
    expect(asked.inputs[0]?.fields[0]).toMatchObject({ name: "city", fieldType: "enum", allowedValues: ["Paris"] });
    const declared = await find("get_temperature");
    expect((await operations.schema(declared, callOf("get_temperature", {}))).inputs).toEqual(declared.inputs);
  });

  it("run hooks of triggers, and say why one failed", async () => {
    const watch = await find("watch");
    await operations.activate(watch, callOf("watch", { city: "Paris" }));
    await operations.deactivate(watch, callOf("watch", { city: "Paris" }));
    await expect(operations.activate(watch, callOf("watch", { city: "Nowhere" }))).rejects.toMatchObject({
      message: expect.stringContaining("There is no such place."),
    });
  });

  it("are stored to run later", async () => {
    const { id } = await operations.enqueue(await find("get_temperature"), callOf("get_temperature", { city: "Paris" }));
    await expect.poll(async () => (await host.engine.get(SCOPE, id))?.state, { timeout: 20_000 }).toBe("succeeded");
  });
});
