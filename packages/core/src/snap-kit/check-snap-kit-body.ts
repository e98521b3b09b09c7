/**
 * The elements of snap-kit bodies, and the check of a body that a function or a client sends. What is not known is refused, so that
 * those who draw bodies meet nothing that they do not know.
 */
import { limit } from "../limits.ts";

/** Where elements of an element lie. */
const CONTAINERS = ["elements", "snaps", "body", "element", "submit_action", "accessory", "rows", "columns", "cells", "content"] as const;

export const SNAP_KIT_ELEMENTS: ReadonlySet<string> = new Set([
  "card",
  "content",
  "actions",
  "form",
  "input_layout",
  "divider",
  "image",
  "plain_text",
  "rich_text",
  "table",
  "button",
  "checkboxes",
  "plain_text_input",
  "number_input",
  "email_text_input",
  "rich_text_input",
  "string_list",
  "number_list",
  "email_list",
  "static_select",
  "multi_static_select",
  "radio_buttons",
  "toggle",
  "upload",
  "part_picker",
  "tag_picker",
  "user_picker",
]);

/** What is wrong with `{body: {snaps}}` or `{snaps}`, in words; undefined when nothing is. */
export function snapKitProblem(value: unknown): string | undefined {
  const outer = objectOf(value);
  if (outer === undefined) return "it is not an object";
  const body = objectOf(outer["body"]) ?? outer;
  const { snaps } = body;
  if (!Array.isArray(snaps)) return "`snaps` is not a list";
  const counts = { elements: 0 };
  for (const [i, snap] of snaps.entries()) {
    const problem = elementProblem(snap, { path: `snaps[${i}]`, depth: 1, counts });
    if (problem !== undefined) return problem;
  }
  return undefined;
}

interface Place {
  readonly path: string;
  readonly depth: number;
  readonly counts: { elements: number };
}

function elementProblem(value: unknown, place: Place): string | undefined {
  const element = objectOf(value);
  if (element === undefined) return `${place.path} is not an element`;
  const depthMax = limit("snapKitDepthMax");
  if (place.depth > depthMax) return `${place.path} lies deeper than ${depthMax} elements`;
  const elementsMax = limit("snapKitElementsMax");
  if (++place.counts.elements > elementsMax) return `there are more than ${elementsMax} elements`;
  const { type } = element;
  if (typeof type !== "string" || !SNAP_KIT_ELEMENTS.has(type))
    return `${place.path}.type is ${typeof type === "string" ? `\`${type.slice(0, 40)}\`` : "missing"}, which is no snap-kit element`;
  const charsMax = limit("snapKitTextCharsMax");
  for (const [name, field] of Object.entries(element)) {
    if (typeof field === "string" && field.length > charsMax)
      return `${place.path}.${name.slice(0, 40)} has more than ${charsMax} characters`;
    if (name === "action_type" && field !== "remote" && field !== "client") return `${place.path}.action_type is neither remote nor client`;
  }
  for (const name of CONTAINERS) {
    const problem = Object.hasOwn(element, name) ? containedProblem(element[name], { ...place, path: `${place.path}.${name}` }) : undefined;
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Lists may lie in lists (rows of cells); a single element may stand where one is asked for, and so may a text. */
function containedProblem(value: unknown, place: Place): string | undefined {
  if (Array.isArray(value)) {
    const depthMax = limit("snapKitDepthMax");
    if (place.depth > depthMax) return `${place.path} lies deeper than ${depthMax} elements`;
    for (const [i, item] of value.entries()) {
      const problem = containedProblem(item, { ...place, path: `${place.path}[${i}]`, depth: place.depth + 1 });
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  const element = objectOf(value);
  // Submit actions, options and columns are objects that are no elements.
  return element === undefined || element["type"] === undefined ? undefined : elementProblem(element, { ...place, depth: place.depth + 1 });
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
}
