/** The object `Convex`, through which the convex package reaches the host. */
import { decodeDocumentId } from "@plinth/core/documents/ids.ts";
import { RUNNER_OPS } from "../wire.ts";
import { hostCall } from "./host-calls.ts";
import { closeStream, nextRow, openStream } from "./query-streams.ts";
import { jsonParse, jsonStringify } from "./realm.ts";
import { localSync, session } from "./session.ts";

const syncCalls: Readonly<Record<string, (argText: string) => string>> = {
  __proto__: null as never,
  "1.0/queryStream": openStream,
  "1.0/queryCleanup": closeStream,
  "1.0/db/normalizeId": normalizeId,
  "1.0/getSnapshotTs": snapshotTs,
};

export const convex = {
  syscall(op: string, argText: string): string {
    requireExecution();
    const call = syncCalls[op];
    if (call === undefined) throw new Error(`There is no system call ${op}.`);
    return call(argText);
  },
  asyncSyscall(op: string, argText: string): Promise<string> {
    requireExecution();
    return op === "1.0/queryStreamNext" ? nextRow(argText) : hostCall(op, argText);
  },
  jsSyscall(op: string): never {
    requireExecution();
    throw new Error(`${op} is not available on this host.`);
  },
};

function requireExecution(): void {
  if (session.phase === "import") throw new Error("Can't read or write data while modules are imported. Please move it into a function.");
}

let tables: Readonly<Record<string, number>> | undefined;

export function forgetTables(): void {
  tables = undefined;
}

function normalizeId(argText: string): string {
  const { table, idString } = jsonParse(argText) as { readonly table: string; readonly idString: string };
  tables ??= jsonParse(localSync(RUNNER_OPS.tables, "")) as Readonly<Record<string, number>>;
  const tableNumber = Object.hasOwn(tables, table) ? tables[table] : undefined;
  const id = typeof idString === "string" ? decodeDocumentId(idString) : null;
  return jsonStringify({ id: id !== null && id.tableNumber === tableNumber ? idString : null });
}

/** The moment of the transaction, as convex JSON of an int64. */
function snapshotTs(): string {
  const { snapshotNs } = session.settings;
  if (snapshotNs === null) throw new Error("An action has no snapshot.");
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(snapshotNs), true);
  return jsonStringify({ $integer: bytes.toBase64() });
}
