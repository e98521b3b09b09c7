/** `automations`, `commands`, `hooks` and `tags`: what calls functions, and the tags that an installation makes. */
import type { AutomationSpec, CommandSpec, HookSpec, Manifest } from "../manifest.ts";
import { oneOf, type ObjectReader } from "../object-reader.ts";
import { identifier, reference, refuseRepeated, title } from "./names.ts";

const OBJECT_TYPES: readonly string[] = [
  "account",
  "ai_assistant_chat",
  "article",
  "conversation",
  "custom_object",
  "dm",
  "engagement",
  "flow",
  "incident",
  "issue",
  "opportunity",
  "part",
  "rev_org",
  "rev_user",
  "snap_in",
  "ticket",
];

export function readAutomation(reader: ObjectReader): AutomationSpec {
  const eventTypes = reader.texts("event_types", "manifestEventTypesMax");
  if (reader.isEmpty("event_types")) {
    reader.error("event_types", "is missing or empty; list the types of events that start the function.");
  }
  return {
    name: title(reader, "name", "each automation"),
    description: reader.text("description"),
    source: reference(reader, "source", "an event source", true) ?? "",
    eventTypes,
    function: reference(reader, "function", "a function", true) ?? "",
  };
}

export function readCommand(reader: ObjectReader): CommandSpec {
  const surfaces = reader.objects("surfaces", "manifestSurfacesMax", (surface) => {
    const objectTypes = surface.texts("object_types", "manifestEventTypesMax");
    for (const [i, type] of objectTypes.entries()) {
      const path = `${surface.at("object_types")}[${i}]`;
      if (type !== "" && !OBJECT_TYPES.includes(type))
        surface.report.warning(path, `${path} is no known type of object; known are ${oneOf(OBJECT_TYPES)}.`);
    }
    return { surface: surface.choice("surface", ["discussions", "customer_chat"], null), objectTypes };
  });
  if (reader.isEmpty("surfaces"))
    reader.error("surfaces", "is missing or empty; list where the command can be used, for example `surface: discussions`.");
  return {
    name: identifier(reader, "name", "each command"),
    namespace: identifier(reader, "namespace", "the namespace of each command"),
    description: reader.text("description"),
    surfaces,
    usageHint: reader.text("usage_hint"),
    function: reference(reader, "function", "a function", true) ?? "",
  };
}

/** At most one hook of each type. */
export function readHooks(manifest: ObjectReader): readonly HookSpec[] {
  const written: { name: string; path: string }[] = [];
  const hooks = manifest.objects("hooks", "manifestHooksMax", (reader): HookSpec => {
    const type = reader.raw("type");
    written.push({ name: typeof type === "string" ? type.toLowerCase() : "", path: reader.path });
    return {
      type: reader.choice("type", ["validate", "activate", "deactivate", "update"], null),
      function: reference(reader, "function", "a function", true) ?? "",
    };
  });
  refuseRepeated(manifest.report, written, "type");
  return hooks;
}

export function readTag(reader: ObjectReader): Manifest["tags"][number] {
  return { name: title(reader, "name", "each tag"), description: reader.text("description") };
}
