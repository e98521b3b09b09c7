/** `snap_kit_actions`, `snap_components` and `configuration_handler`. */
import type { ConfigurationHandlerSpec, Manifest, SnapComponentSpec } from "../manifest.ts";
import { didYouMean } from "../near-miss.ts";
import { oneOf, type ObjectReader } from "../object-reader.ts";
import { identifier, reference } from "./names.ts";

const SURFACES: readonly string[] = ["issue", "support", "comments_rte", "snap_in__configuration", "plug"];

export function readSnapKitAction(reader: ObjectReader): Manifest["snapKitActions"][number] {
  return {
    name: identifier(reader, "name", "each action"),
    description: reader.text("description"),
    function: reference(reader, "function", "a function", true) ?? "",
  };
}

export function readSnapComponent(reader: ObjectReader): SnapComponentSpec {
  const name = identifier(reader, "name", "each component");
  const surface = reader.text("surface", { required: true, instead: `write ${oneOf(SURFACES)}` });
  if (surface !== "" && !SURFACES.includes(surface)) {
    reader.warning("surface", `is no known surface; known are ${oneOf(SURFACES)}.${didYouMean(surface, SURFACES)}`);
  }
  const body = reader.json("snap_kit_body");
  if (!reader.has("initializer") && body === undefined) {
    reader.error("initializer", "is missing; name the function that makes the component's content, or write `snap_kit_body`.");
  }
  return {
    name,
    displayName: reader.label("display_name", { fallback: name }),
    description: reader.text("description"),
    surface,
    snapKitActionName: reference(reader, "snap_kit_action_name", "a snap-kit action", false),
    initializer: reference(reader, "initializer", "a function", false),
    snapKitBody: body ?? null,
  };
}

export function readConfigurationHandler(manifest: ObjectReader): Manifest["configurationHandler"] {
  const both = manifest.object("configuration_handler", (section) => {
    const organization = section.object("organization", readHandler);
    const user = section.object("user", readHandler);
    return { ...(organization === null ? {} : { organization }), ...(user === null ? {} : { user }) };
  });
  return both ?? {};
}

function readHandler(reader: ObjectReader): ConfigurationHandlerSpec {
  return {
    initializer: reference(reader, "initializer", "a function", true),
    snapKitActionName: reference(reader, "snap_kit_action_name", "a snap-kit action", false),
  };
}
