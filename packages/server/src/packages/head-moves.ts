/** Reads and moves of package heads, each within one transaction. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Records } from "../database/database.ts";
import { PACKAGE_HEADS, PACKAGE_LEDGER, PACKAGE_VERSIONS } from "../database/record-tables.ts";
import type { PackageHead, PackageLedgerRow, PackageVersionRow } from "./package-records.ts";

const PACKAGE_NAME = /^[a-z][a-z0-9_-]{0,62}$/;
/** So that a digest can be written by hand. */
const PREFIX = /^[0-9a-f]{8,64}$/;

export interface HeadMove {
  readonly name: string;
  readonly row: PackageVersionRow;
  readonly atMs: number;
  readonly by: string;
  readonly note?: string | undefined;
  readonly cause: PackageLedgerRow["cause"];
}

export function isPackageName(name: string): boolean {
  return PACKAGE_NAME.test(name);
}

export function checkPackageName(name: string): void {
  if (!isPackageName(name))
    throw plinthError("BadRequest", {
      detail: "The name of a package has 1 to 63 lower-case letters, digits, `-` and `_`, and begins with a letter.",
    });
}

/** K2: moves the head and writes the ledger. Without effect when the head stands there already; then it returns the last entry. */
export async function moveHead(records: Records, move: HeadMove): Promise<{ readonly entry: PackageLedgerRow; readonly changed: boolean }> {
  const { name, row, atMs, by, note, cause } = move;
  const head = await records.get(PACKAGE_HEADS, [name]);
  if (head?.version === row.digest) {
    const last = await records.get(PACKAGE_LEDGER, [name, head.seq]);
    if (last !== undefined) return { entry: last, changed: false };
  }
  if (head === undefined) await checkRoom(records);
  const seq = (head?.seq ?? 0) + 1;
  const entry: PackageLedgerRow = { seq, version: row.digest, parent: head?.version ?? null, atMs, by, note: note ?? null, cause };
  records.put(PACKAGE_VERSIONS, [name, row.digest], row);
  records.put(PACKAGE_HEADS, [name], { version: row.digest, seq, deployedMs: atMs, runtime: row.runtime });
  records.put(PACKAGE_LEDGER, [name, seq], entry);
  return { entry, changed: true };
}

/** A stored version by its digest, or the first digits of it; at the head when none is given. */
export async function findVersion(records: Records, name: string, wanted?: string): Promise<PackageVersionRow | undefined> {
  if (wanted === undefined) {
    const head = await records.get(PACKAGE_HEADS, [name]);
    return head === undefined ? undefined : await records.get(PACKAGE_VERSIONS, [name, head.version]);
  }
  if (wanted.length === 64) return await records.get(PACKAGE_VERSIONS, [name, wanted]);
  checkPrefix(wanted);
  const rows = await versionRows(records, name);
  return onlyOne(wanted, rows, ({ digest }) => digest);
}

/** The version that a request names, which has to be stored. Throws VersionCollected or NotFound. */
export async function wantVersion(records: Records, name: string, wanted: string): Promise<PackageVersionRow> {
  const row = await findVersion(records, name, wanted);
  if (row !== undefined) return row;
  const known = onlyOne(wanted, await ledgerRows(records, name, limit("ledgerEntriesShownMax")), ({ version }) => version);
  if (known !== undefined) throw plinthError("VersionCollected", { version: known.version.slice(0, 16), package: name });
  throw plinthError("NotFound", { what: `version ${wanted.slice(0, 64)} of the package ${name}` });
}

/** The version that the head stood at before the one it stands at came. Going back twice goes back two versions. */
export async function versionBefore(records: Records, name: string): Promise<string> {
  const head = await records.get(PACKAGE_HEADS, [name]);
  if (head === undefined) throw plinthError("NotFound", { what: `package ${name}` });
  const rows = await ledgerRows(records, name, limit("ledgerEntriesShownMax"));
  const arrival = rows.find(({ version, cause }) => version === head.version && cause !== "rollback");
  if (arrival?.parent === undefined || arrival.parent === null)
    throw plinthError("NotFound", { what: `version of the package ${name} before this one` });
  return arrival.parent;
}

/** The latest entries first. */
export async function ledgerRows(records: Records, name: string, count: number): Promise<readonly PackageLedgerRow[]> {
  return (await records.range(PACKAGE_LEDGER, { prefix: [name], order: "desc", limit: count })).map(({ value }) => value);
}

export async function versionRows(records: Records, name: string): Promise<readonly PackageVersionRow[]> {
  return (await records.range(PACKAGE_VERSIONS, { prefix: [name], limit: limit("packageVersionsMax") })).map(({ value }) => value);
}

export async function heads(records: Records): Promise<readonly { readonly name: string; readonly head: PackageHead }[]> {
  const rows = await records.range(PACKAGE_HEADS, { prefix: [], limit: limit("packagesPerBranchMax") });
  return rows.map(({ key, value }) => ({ name: String(key[0]), head: value }));
}

/** Of packages with a head, and of those that only have versions that were never promoted; at most one more than there may be. */
export async function packageNames(records: Records): Promise<ReadonlySet<string>> {
  const names = new Set((await heads(records)).map(({ name }) => name));
  for (let after: readonly [string, string] | undefined; names.size <= limit("packagesPerBranchMax");) {
    const [row] = await records.range(PACKAGE_VERSIONS, { prefix: [], limit: 1, ...(after === undefined ? {} : { after }) });
    if (row === undefined) break;
    const name = String(row.key[0]);
    names.add(name);
    // Behind all digests of the package.
    after = [name, "g"];
  }
  return names;
}

/** Of what is not promoted, only so much is kept: who uploads for ever deletes the oldest of it. */
export async function checkRoomForVersion(records: Records, name: string): Promise<void> {
  const max = limit("packageVersionsMax");
  const rows = await versionRows(records, name);
  if (rows.length === 0) await checkRoom(records);
  if (rows.length >= max) throw plinthError("RequestTooLarge", { what: `package ${name}`, actual: `${max} stored versions`, max });
}

async function checkRoom(records: Records): Promise<void> {
  const max = limit("packagesPerBranchMax");
  if ((await heads(records)).length >= max) throw plinthError("RequestTooLarge", { what: "branch", actual: `${max} packages`, max });
}

function checkPrefix(wanted: string): void {
  if (!PREFIX.test(wanted))
    throw plinthError("BadRequest", { detail: "A version is named by its digest, or the first 8 or more digits of it." });
}

function onlyOne<T>(prefix: string, rows: readonly T[], digestOf: (row: T) => string): T | undefined {
  const found = rows.filter((row) => digestOf(row).startsWith(prefix));
  if (new Set(found.map(digestOf)).size > 1)
    throw plinthError("BadRequest", { detail: `Several versions begin with ${prefix}; write more digits.` });
  return found[0];
}
