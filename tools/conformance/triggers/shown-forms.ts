/** Finds what a user can press in the snap-kit bodies of a timeline, and what pressing it sends. */
import { field, type Json } from "../../../packages/cli/src/client.ts";

type JsonObject = { readonly [name: string]: Json | undefined };

export interface ShownForm {
  /** The timeline entry that shows it. */
  readonly entry: string;
  readonly action: string;
  readonly label: string;
  readonly body: Json;
  /** What is sent: a form with its first options chosen, or a button. */
  readonly element: JsonObject;
}

export function formsOf(entries: readonly JsonObject[]): readonly ShownForm[] {
  return entries.flatMap((entry): readonly ShownForm[] => {
    const shown = entry["snap_kit_body"];
    if (!isObject(shown) || !isObject(shown["body"])) return [];
    const pressed = elementsIn(shown["body"])
      .map(pressedElement)
      .find((found) => found !== undefined);
    if (pressed === undefined) return [];
    const { label, element } = pressed;
    return [{ entry: field(entry, "id") ?? "", action: field(shown, "snap_in_action_name") ?? "", label, body: shown["body"], element }];
  });
}

/** Every object in it, outer ones first. */
function elementsIn(value: Json | undefined): readonly JsonObject[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(elementsIn);
  if (!isObject(value)) return [];
  return [value, ...Object.values(value).flatMap(elementsIn)];
}

function pressedElement(element: JsonObject): { readonly label: string; readonly element: JsonObject } | undefined {
  if (element["type"] === "button") {
    const id = field(element, "action_id") ?? "";
    const { value = null } = element;
    return { label: `button ${id}`, element: { id, type: "button", value } };
  }
  if (element["type"] !== "form") return undefined;
  const fields = elementsIn(element["elements"]).filter(
    (each) => typeof each["action_id"] === "string" && typeof each["type"] === "string",
  );
  const value = Object.fromEntries(fields.map((each) => [field(each, "action_id") ?? "", filledIn(each)]));
  const chosen = fields.map((each) => JSON.stringify((filledIn(each)["value"] as JsonObject | null)?.["value"] ?? filledIn(each)["value"]));
  return { label: `form with ${chosen.join(", ")}`, element: { id: field(element, "action_id") ?? "", type: "form", value } };
}

function filledIn(element: JsonObject): JsonObject {
  const [first] = Array.isArray(element["options"]) ? (element["options"] as readonly Json[]) : [];
  const value = element["type"] === "checkboxes" ? [first ?? null] : (first ?? "1");
  return { action_id: element["action_id"], type: element["type"], value };
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
