import { describe, expect, it } from "vitest";
import { limit } from "../limits.ts";
import { checkFields } from "./check-ports.ts";
import { parseFunctionOperation, portOfShape } from "./function-operation.ts";

const OPEN = { kind: "open" };
const DESCRIBED = {
  slug: null,
  displayName: null,
  description: "",
  type: "action",
  isWorkflowNode: true,
  isAgentSkill: false,
  effect: "outside",
  timeoutMs: null,
  hasSchema: false,
  hasActivate: false,
  hasDeactivate: false,
  input: OPEN,
  output: OPEN,
};
const parse = (changes: object, path = "mail/outbox:sendMail") =>
  parseFunctionOperation(path, JSON.stringify({ ...DESCRIBED, ...changes }));

describe("what a function says of its operation", () => {
  it("names it after the export, or the module of a default export", () => {
    expect(parse({}).operation).toMatchObject({ slug: "send_mail", displayName: "Send mail", namespace: "functions" });
    expect(parse({}, "mail/sendHTML5Mail:default").operation.slug).toBe("send_html5_mail");
    expect(parse({ slug: "Own.slug" }).operation.slug).toBe("Own.slug");
  });

  it("gives the fields of validators and of JSON Schema", () => {
    const validator = { type: "object", value: { to: { fieldType: { type: "id", tableName: "users" }, optional: true } } };
    const input = { kind: "validator", validator };
    const output = { kind: "schema", schema: { type: "object", properties: { n: { type: "integer" } }, additionalProperties: {} } };
    const { operation, input: read } = parse({ input, output });
    expect(read?.type).toBe("object");
    expect(operation.inputs[0]).toMatchObject({ fields: [{ name: "to", fieldType: "id", idType: ["users"], isRequired: false }] });
    expect(operation.inputs[0]?.isOpen).toBeUndefined();
    expect(operation.outputs[0]).toMatchObject({ isOpen: true, fields: [{ name: "n", fieldType: "int" }] });
    expect(portOfShape(output)).toEqual(operation.outputs[0]);
    expect(portOfShape({ kind: "other" })).toBeUndefined();
  });

  it("is refused when anything in it is wrong, with the function", () => {
    const deep = { kind: "schema", schema: { type: "object", properties: {} as Record<string, unknown> } };
    for (let i = 0, at = deep.schema.properties; i < 1000; i++) {
      const next = {};
      at["a"] = next;
      at = next;
    }
    const bad: object[] = [
      { slug: "" },
      { slug: "a b" },
      { slug: 1 },
      { slug: "a".repeat(129) },
      { type: "other" },
      { effect: null },
      { isAgentSkill: "yes" },
      { timeoutMs: 0 },
      { timeoutMs: limit("actionWallMsMax") + 1 },
      { timeoutMs: 1.5 },
      { description: "a".repeat(limit("operationDescriptionCharsMax") + 1) },
      { displayName: {} },
      { input: null },
      { input: [] },
      { input: { kind: "validator", validator: { type: "string" } } },
      { input: { kind: "validator", validator: {} } },
      { output: { kind: "schema", schema: { type: "object" } } },
      { output: { kind: "schema", schema: [] } },
      { input: deep },
    ];
    for (const changes of bad) {
      const name = JSON.stringify(changes).slice(0, 100);
      expect(() => parse(changes), name).toThrow(/^The package cannot be deployed: the operation 'mail\/outbox:sendMail' is wrong/);
    }
    for (const text of ["", "[]", "null", "{"]) expect(() => parseFunctionOperation("a:b", text)).toThrow(/cannot be deployed/);
  });

  it("M11: neither follows references nor runs patterns of a JSON Schema", () => {
    const properties = { a: { type: "string", pattern: "^(a+)+$" }, b: { $ref: "https://example.com/b.json" }, c: { $ref: "#" } };
    const [port] = parse({ input: { kind: "schema", schema: { type: "object", properties } } }).operation.inputs;
    const input = { a: `${"a".repeat(50_000)}!`, b: 1, c: { c: {} } };
    expect(checkFields(port?.fields ?? [], input)).toEqual({ kind: "ok", value: input });
  });

  it("keeps names that mean something to JavaScript as names", () => {
    const schema = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"integer"}}}');
    const { operation } = parse({ input: { kind: "schema", schema } });
    // JSON.stringify of the test drops nothing: the name is an own property.
    expect(operation.inputs[0]?.fields.map(({ name }) => name)).toEqual(["__proto__", "constructor"]);
  });
});
