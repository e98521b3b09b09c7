/** Definitions of flows: their versions, their heads, and the programs that they are. Versions never change. */
import { createHash } from "node:crypto";
import { checkFlow } from "@plinth/core/flow/check-definition.ts";
import { checkDefinitionSize } from "@plinth/core/flow/definition-size.ts";
import type { FlowDefinition, FlowFinding } from "@plinth/core/flow/definition.ts";
import type { FlowProgram } from "@plinth/core/flow/program.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { JsonObject } from "@plinth/core/operations/operation.ts";
import type { Database, Scope } from "../database/database.ts";
import { DELETED_FLOWS, FLOW_LEDGER, FLOW_VERSIONS, FLOWS } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { FLOW_VERSION_BUNDLES } from "../database/record-tables.ts";
import type { FlowBundles } from "./bundles/flow-bundles.ts";
import { bundlesOf, lockFindings } from "./bundles/lock-findings.ts";
import { flowCatalogue, type FlowCatalogueParts } from "./flow-catalogue.ts";
import type { FlowRow } from "./flow-records.ts";
import type { FlowSummary, FlowVersion, Published } from "./flows.ts";
import { PythonChecks } from "./python-check.ts";
import type { ScriptChecks } from "./script-check.ts";
import { dropOldFlowVersions } from "./retention/old-flow-versions.ts";
import { bindTrigger, switchTrigger } from "./triggers/bind-trigger.ts";
import { newSecret } from "./triggers/flow-address.ts";
import { triggerFindings } from "./triggers/table.ts";
import type { TriggerPlace } from "./triggers/trigger.ts";

export interface FlowDefinitionsParts extends FlowCatalogueParts, Pick<TriggerPlace, "tools"> {
  readonly database: Database;
  /** Packages for code; no flow can name any where it is absent. */
  readonly bundles?: Pick<FlowBundles, "get">;
  readonly runtime: Runtime;
  readonly scripts: Pick<ScriptChecks, "flowFindings">;
}

export class FlowDefinitions {
  readonly #parts: FlowDefinitionsParts;
  /** By scope, flow and version. */
  readonly #programs = new Map<string, FlowProgram>();
  readonly #python: PythonChecks;

  constructor(parts: FlowDefinitionsParts) {
    this.#parts = parts;
    this.#python = new PythonChecks(parts);
  }

  async check(
    scope: Scope,
    json: unknown,
    { isPublished }: { readonly isPublished: boolean } = { isPublished: false },
  ): Promise<{ readonly definition: FlowDefinition | null; readonly findings: readonly FlowFinding[] }> {
    // What is nested too deeply cannot be written as text.
    checkDefinitionSize(json);
    const size = Buffer.byteLength(JSON.stringify(json ?? null));
    const sizeMax = limit("flowDefinitionBytesMax");
    if (size > sizeMax) throw plinthError("RequestTooLarge", { what: "definition", actual: `${size} bytes`, max: `${sizeMax} bytes` });
    const onward = this.#bounded();
    const checked = checkFlow(json, await flowCatalogue(this.#parts, scope, nameIn(json)));
    if (!checked.ok) return { definition: null, findings: checked.findings };
    const { definition } = checked.program;
    const findings = [
      ...checked.findings,
      ...(await lockFindings(this.#parts.bundles, scope, definition, isPublished ? "error" : "warning")),
      ...(await triggerFindings(definition.trigger, { ...this.#parts, scope, nowMs: this.#parts.runtime.nowMs() })),
      ...(await this.#parts.scripts.flowFindings(scope.tenant, definition, onward)),
      ...(await this.#python.flowFindings(scope, definition, onward)),
    ];
    return { definition: findings.some(({ severity }) => severity === "error") ? null : definition, findings };
  }

  async publish(scope: Scope, request: { readonly definition: JsonObject; readonly note: string | null }): Promise<Published> {
    const { definition, findings } = await this.check(scope, request.definition, { isPublished: true });
    if (definition === null) return { ok: false, findings };
    const { name, description, trigger } = definition;
    const version = createHash("sha256").update(JSON.stringify(request.definition)).digest("hex");
    const createdMs = this.#parts.runtime.nowMs();
    const binding = this.#binding();
    const published = await this.#parts.database.update(scope, async (transaction): Promise<FlowVersion> => {
      const { records } = transaction;
      const before = await records.get(FLOWS, [name]);
      if (before === undefined && (await records.get(DELETED_FLOWS, [scope.tenant, scope.branch, name])) !== undefined)
        throw plinthError("FlowBeingDeleted", { flow: name });
      if (before === undefined && (await records.range(FLOWS, { prefix: [], limit: limit("flowsMax") })).length >= limit("flowsMax"))
        throw plinthError("LimitExceeded", { what: "Flows of one branch", actual: limit("flowsMax") + 1, max: limit("flowsMax") });
      if (before?.version === version) {
        const entry = await records.get(FLOW_LEDGER, [name, before.seq]);
        return { flow: name, version, seq: before.seq, createdMs: entry?.createdMs ?? createdMs, note: entry?.note ?? null };
      }
      const seq = (before?.seq ?? 0) + 1;
      records.put(FLOW_VERSIONS, [name, version], { definition: request.definition });
      const digests = bundlesOf(definition);
      if (digests.length > 0) records.put(FLOW_VERSION_BUNDLES, [name, version], { digests });
      records.put(FLOW_LEDGER, [name, seq], { version, createdMs, note: request.note });
      await dropOldFlowVersions(records, { flow: name, seq, nowMs: createdMs });
      const isOn = before?.isOn ?? true;
      records.put(FLOWS, [name], { name, description, trigger: trigger.type, version, isOn, seq });
      await bindTrigger(transaction, { name, description, version, isOn, trigger }, binding);
      return { flow: name, version, seq, createdMs, note: request.note };
    });
    return { ok: true, version: published };
  }

  async list(scope: Scope): Promise<readonly FlowSummary[]> {
    const rows = await this.#parts.database.read(scope, ({ records }) => records.range(FLOWS, { prefix: [], limit: limit("flowsMax") }));
    return rows.map(({ value: { name, description, trigger, version, isOn } }) => ({ name, description, trigger, version, isOn }));
  }

  async head(scope: Scope, flow: string): Promise<FlowRow> {
    const row = await this.#parts.database.read(scope, ({ records }) => records.get(FLOWS, [flow]));
    if (row === undefined) throw noFlow(flow);
    return row;
  }

  async definition(scope: Scope, flow: string, version?: string): Promise<JsonObject> {
    const digest = version ?? (await this.head(scope, flow)).version;
    const row = await this.#parts.database.read(scope, ({ records }) => records.get(FLOW_VERSIONS, [flow, digest]));
    if (row === undefined) throw plinthError("NotFound", { what: `such version of the flow '${flow.slice(0, 64)}'` });
    return row.definition;
  }

  async versions(scope: Scope, flow: string): Promise<readonly FlowVersion[]> {
    await this.head(scope, flow);
    const rows = await this.#parts.database.read(scope, ({ records }) =>
      records.range(FLOW_LEDGER, { prefix: [flow], order: "desc", limit: limit("flowVersionsShownMax") }),
    );
    return rows.map(({ key, value }) => ({ flow, seq: Number(key[1]), ...value }));
  }

  async setOn(scope: Scope, flow: string, isOn: boolean): Promise<void> {
    const binding = this.#binding();
    await this.#parts.database.update(scope, async (transaction) => {
      const { records } = transaction;
      const row = await records.get(FLOWS, [flow]);
      if (row === undefined) throw noFlow(flow);
      records.put(FLOWS, [flow], { ...row, isOn });
      await switchTrigger(transaction, flow, { ...binding, isOn });
    });
  }

  /** Throws FlowCheckTooLong once a check that begins now has had its time. */
  #bounded(): () => void {
    const { runtime } = this.#parts;
    const max = limit("flowCheckMsMax");
    const untilMs = runtime.monotonicMs() + max;
    return () => {
      if (runtime.monotonicMs() > untilMs) throw plinthError("FlowCheckTooLong", { max });
    };
  }

  #binding() {
    const { runtime } = this.#parts;
    return { nowMs: runtime.nowMs(), newSecret: newSecret(runtime) };
  }

  async program(scope: Scope, flow: string, version: string): Promise<FlowProgram> {
    const key = `${scope.tenant}/${scope.branch}/${flow}/${version}`;
    const known = this.#programs.get(key);
    if (known !== undefined) return known;
    const checked = checkFlow(await this.definition(scope, flow, version), null);
    // It was checked when it was published, perhaps by an older host.
    if (!checked.ok) throw plinthError("InternalError", { id: `flow ${flow} ${version.slice(0, 12)} is no longer readable` });
    if (this.#programs.size >= limit("flowProgramsMax")) this.#programs.clear();
    this.#programs.set(key, checked.program);
    return checked.program;
  }
}

function noFlow(flow: string) {
  return plinthError("NotFound", { what: `flow '${flow.slice(0, 64)}'` });
}

function nameIn(json: unknown): string | undefined {
  const name = typeof json === "object" && json !== null && "name" in json ? json.name : undefined;
  return typeof name === "string" ? name : undefined;
}
