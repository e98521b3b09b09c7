/** `keyrings`, `developer_keyrings`, and version 1's `connections` and `developer_connections`. */
import type { DeveloperKeyringSpec, InstallScope, KeyringSpec, Scoped } from "../manifest.ts";
import type { ObjectReader } from "../object-reader.ts";
import { limit, type LimitName } from "../../limits.ts";
import { foreign, identifier, isForeign } from "./names.ts";

const TYPE_CHARS_MAX = limit("manifestNameCharsMax");

/** Types of keyrings that need no entry in `keyring_types`. */
export const BUILT_IN_KEYRING_TYPES: readonly string[] = [
  "snap_in_secret",
  "snap-in-secret",
  "devrev-snap-in-secret",
  "devrev-flow-secret",
  "devrev-pat",
  "devrev-slack-oauth",
  "devrev-github-oauth",
  "devrev-github-pat",
  "devrev-discord-app",
  "slack",
  "github",
];

export function readKeyrings(manifest: ObjectReader): Scoped<KeyringSpec> {
  const connections = manifest.objects("connections", "manifestKeyringsMax", readKeyring);
  const scoped = readScoped(manifest, "keyrings", "manifestKeyringsMax", readKeyring);
  return { organization: [...connections, ...scoped.organization], user: scoped.user };
}

export function readKeyring(reader: ObjectReader): KeyringSpec {
  const common = readDeveloperKeyring(reader);
  const types = reader.texts("types", "manifestKeyringTypesMax", { charsMax: TYPE_CHARS_MAX }).map((type, i) => {
    if (!isForeign(type)) return type;
    reader.report.error(`${reader.at("types")}[${i}]`, `${reader.at("types")}[${i}] ${foreign("a type")}`);
    return "";
  });
  if (reader.isEmpty("types"))
    reader.error("types", "is missing or empty; list the types of connections that fit, for example `snap_in_secret`.");
  if (reader.has("is_optional")) {
    reader.error(
      "is_optional",
      "is not allowed on a keyring; remove it, and declare the keyring under `keyrings.user` if people may leave it out.",
    );
  }
  reader.ignored("optional", "means nothing on a keyring and is ignored; remove it.");
  return { ...common, types };
}

export function readDeveloperKeyrings(manifest: ObjectReader): readonly DeveloperKeyringSpec[] {
  const read = (reader: ObjectReader): DeveloperKeyringSpec => {
    reader.raw("types");
    return readDeveloperKeyring(reader);
  };
  return [
    ...manifest.objects("developer_connections", "manifestKeyringsMax", read),
    ...manifest.objects("developer_keyrings", "manifestKeyringsMax", read),
  ];
}

function readDeveloperKeyring(reader: ObjectReader): DeveloperKeyringSpec {
  const name = identifier(reader, "name", "each keyring");
  return { name, description: reader.text("description"), displayName: reader.label("display_name", { fallback: name }) };
}

/** `organization` and `user` lists of one section. */
export function readScoped<T>(
  manifest: ObjectReader,
  key: string,
  max: LimitName,
  read: (reader: ObjectReader, scope: InstallScope) => T,
): Scoped<T> {
  const both = manifest.object(key, (section) => ({
    organization: section.objects("organization", max, (reader) => read(reader, "organization")),
    user: section.objects("user", max, (reader) => read(reader, "user")),
  }));
  return both ?? { organization: [], user: [] };
}
