/** New rows of keyrings, and what others may see of one. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { KeyringRow } from "./keyring-records.ts";
import type { CreateKeyring, Keyring } from "./keyrings.ts";

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** A keyring without its secret yet; throws when its name or user cannot be one. */
export function newRow(request: Omit<CreateKeyring, "fields">, kind: KeyringRow["kind"], runtime: Runtime): KeyringRow {
  const user = request.owner?.user;
  if (!NAME.test(request.name))
    throw plinthError("BadRequest", {
      detail: "`name` has 1 to 128 letters, digits, `_`, `-` and `.`, and begins with a letter, digit or `_`.",
    });
  const max = limit("keyringNameCharsMax");
  if (user !== undefined && (user === "" || user.length > max))
    throw plinthError("BadRequest", { detail: `\`user\` has 1 to ${max} characters.` });
  const nowMs = runtime.nowMs();
  return {
    id: `kr_${Buffer.from(runtime.randomBytes(12)).toString("hex")}`,
    name: request.name,
    type: request.type,
    kind,
    owner: user === undefined ? {} : { user },
    createdMs: nowMs,
    updatedMs: nowMs,
    state: "pending",
    organization: null,
    organizations: [],
    expiresMs: null,
    secret: null,
    pending: null,
    grant: 0,
    refresh: null,
  };
}

/** Field by field, so that what is added to rows stays inside. */
export function shown(row: KeyringRow): Keyring {
  const { id, name, type, kind, owner, createdMs, updatedMs, state, organization, organizations, expiresMs } = row;
  return { id, name, type, kind, owner, createdMs, updatedMs, state, organization, organizations, expiresMs };
}

/** One organisation is the keyring's; of several, somebody chooses. */
export function organizationsOf(found: KeyringRow["organizations"]): Pick<KeyringRow, "organization" | "organizations"> {
  return { organization: found.length === 1 ? (found[0] ?? null) : null, organizations: found };
}
