/** Versions as people name them: `head`, the number of a publication, a digest or its beginning. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope } from "../database/database.ts";
import { FLOW_LEDGER, FLOWS } from "../database/record-tables.ts";

const DIGEST = /^[0-9a-f]{64}$/;
const BEGINNING = /^[0-9a-f]{7,63}$/;
const NUMBER = /^[1-9][0-9]{0,5}$/;

/** The digest. Rejects with NotFound. */
export async function versionNamed(database: Database, scope: Scope, { flow, name }: { readonly flow: string; readonly name: string }) {
  if (DIGEST.test(name)) return name;
  return await database.read(scope, async ({ records }) => {
    const head = await records.get(FLOWS, [flow]);
    if (head === undefined) throw plinthError("NotFound", { what: `flow '${flow.slice(0, 64)}'` });
    if (name === "head") return head.version;
    if (NUMBER.test(name)) {
      const entry = await records.get(FLOW_LEDGER, [flow, Number(name)]);
      if (entry !== undefined) return entry.version;
    }
    if (BEGINNING.test(name)) {
      const rows = await records.range(FLOW_LEDGER, { prefix: [flow], order: "desc", limit: limit("flowVersionsSoughtMax") });
      const found = new Set(rows.map(({ value }) => value.version).filter((version) => version.startsWith(name)));
      const [only] = found;
      if (found.size === 1 && only !== undefined) return only;
      if (found.size > 1) throw plinthError("BadRequest", { detail: `'${name}' begins ${found.size} versions; write more of it.` });
    }
    const what = `version '${name.slice(0, 64)}' of the flow '${flow.slice(0, 64)}'; \`head\`, a number or the beginning of a digest name one`;
    throw plinthError("NotFound", { what });
  });
}

/** Versions that a run may have: the retention of versions keeps no others for it. */
export async function wasHeadSince(
  database: Database,
  scope: Scope,
  { flow, version, sinceMs }: { readonly flow: string; readonly version: string; readonly sinceMs: number },
): Promise<boolean> {
  const rows = await database.read(scope, ({ records }) =>
    records.range(FLOW_LEDGER, { prefix: [flow], order: "desc", limit: limit("flowVersionsSoughtMax") }),
  );
  const at = rows.findIndex(({ value }) => value.version === version);
  return at === 0 || (at > 0 && (rows[at - 1]?.value.createdMs ?? 0) >= sinceMs);
}
