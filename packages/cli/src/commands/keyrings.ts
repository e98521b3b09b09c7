import { Option } from "commander";
import { call, field, type Json } from "../client.ts";
import { findConnection } from "../connection.ts";
import { CommandFailure } from "../failure.ts";
import { note, print, printJson, progress, success, table } from "../output.ts";
import { readSecret } from "../secret-input.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

interface CreateOptions {
  readonly type: string;
  readonly field?: readonly string[];
  readonly stdinField: string;
  readonly stdinJson?: boolean;
  readonly user?: string;
}

interface ConnectOptions {
  readonly type: string;
  readonly field?: readonly string[];
  readonly scope?: readonly string[];
  readonly user?: string;
  readonly wait: boolean;
}

const POLL_MS = 1000;
/** As long as the host waits for the browser. */
const SIGN_IN_MS = 600_000;

export const keyrings: AddCommand = (program) => {
  const group = program.command("keyrings").description("Credentials of other systems, for packages");
  group
    .command("list")
    .description("Show all keyrings, without their secrets")
    .option("--user <id>", "those of one user")
    .action(async (options: { user?: string }, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const query = options.user === undefined ? "" : `?user=${encodeURIComponent(options.user)}`;
      const json = await call(findConnection(globals), `/v1/keyrings${query}`);
      if (globals.json === true) return printJson(json);
      const rows = (json as { readonly keyrings?: readonly Json[] }).keyrings ?? [];
      print(table(["KEYRING", "NAME", "TYPE", "OWNER", "STATE", "ORGANISATION"], rows.map(shownRow)));
    });
  group
    .command("create")
    .description("Store a secret; it is read from standard input, or asked for")
    .argument("<name>")
    .requiredOption("--type <type>", "a built-in type such as snap_in_secret, or <package>/<type>")
    .option("--field <name=value...>", "a field of the type; the value can then be read in the shell's history")
    .addOption(new Option("--stdin-field <name>", "the field that standard input holds").default("secret"))
    .option("--stdin-json", "standard input holds a JSON object of the fields")
    .option("--user <id>", "of one user instead of the organisation")
    .action(async (name: string, options: CreateOptions, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      if (options.field !== undefined) note("What is given as --field stays in the shell's history and is seen by others on this machine.");
      const fields = await secretFields(options);
      const json = await call(findConnection(globals), "/v1/keyrings", { body: { name, type: options.type, fields, ...userOf(options) } });
      if (globals.json === true) return printJson(json);
      success(`keyring ${name} is stored (${field(json, "id") ?? ""})`);
    });
  group
    .command("connect")
    .description("Sign in at another system (OAuth 2), or sign in again")
    .argument("<name>")
    .requiredOption("--type <type>", "<package>/<type>")
    .option("--field <name=value...>", "a field of the type, such as SUBDOMAIN=acme")
    .option("--scope <scope...>", "instead of all scopes of the type")
    .option("--user <id>", "of one user instead of the organisation")
    .option("--no-wait", "show the address and end")
    .action(async (name: string, options: ConnectOptions, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const connection = findConnection(globals);
      const json = await call(connection, "/v1/keyrings/oauth/start", {
        body: {
          name,
          type: options.type,
          fields: parseFields(options.field),
          ...(options.scope === undefined ? {} : { scopes: options.scope }),
          ...userOf(options),
        },
      });
      if (globals.json === true) printJson(json);
      else print(`Open this address in a browser and sign in:\n${field(json, "authorizeUrl") ?? ""}`);
      if (!options.wait) return;
      const path = `/v1/keyrings/${encodeURIComponent(field(json, "id") ?? "")}`;
      const before = changedMs(await call(connection, path));
      await progress("waiting for the sign-in", async () => {
        for (const endMs = Date.now() + SIGN_IN_MS; Date.now() < endMs;) {
          const now = await call(connection, path);
          if (field(now, "state") === "active" && changedMs(now) !== before) return;
          await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        }
        throw new CommandFailure("Nobody signed in within ten minutes; start again.", 2);
      });
      success(`keyring ${name} is connected`);
    });
  group
    .command("revoke")
    .description("Revoke a keyring at the other system and delete it")
    .argument("<id>")
    .action(async (id: string, _, command) => {
      await call(findConnection(command.optsWithGlobals()), `/v1/keyrings/${encodeURIComponent(id)}`, { method: "DELETE" });
      success(`keyring ${id} is revoked`);
    });
  group
    .command("rotate")
    .description("Encrypt all keyrings of the host under its newest key (admin key)")
    .action(async (_, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const json = await call(findConnection(globals), "/v1/keyrings/rotate", { method: "POST" });
      if (globals.json === true) return printJson(json);
      const { keyrings: count } = json as { readonly keyrings?: number };
      success(`${count ?? 0} keyrings were encrypted anew; older keys can be removed`);
    });
};

function shownRow(row: Json): readonly string[] {
  const { owner, organization } = row as { readonly owner?: Json; readonly organization?: Json };
  const text = (name: string) => field(row, name) ?? "";
  return [text("id"), text("name"), text("type"), field(owner, "user") ?? "organisation", text("state"), field(organization, "name") ?? ""];
}

/** `name=value`; a value may hold further equals signs. */
function parseFields(texts: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw new CommandFailure("--field takes name=value.", 4);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

async function secretFields(options: CreateOptions): Promise<Record<string, string>> {
  if (options.stdinJson === true) return parseFieldsJson(await readSecret("JSON object of fields"));
  if (options.field !== undefined) return parseFields(options.field);
  return { [options.stdinField]: await readSecret(options.stdinField) };
}

/** The host checks the values; what is said here repeats none of them. */
function parseFieldsJson(text: string): Record<string, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CommandFailure("Standard input is not JSON.", 4);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new CommandFailure("Standard input is not a JSON object.", 4);
  return json as Record<string, string>;
}

function userOf(options: { readonly user?: string }): { readonly user?: string } {
  return options.user === undefined ? {} : { user: options.user };
}

function changedMs(json: Json): number | undefined {
  return (json as { readonly updatedMs?: number }).updatedMs;
}
