/** What nodes share that call an operation. */
import { didYouMean } from "../../manifest/near-miss.ts";
import type { Operation } from "../../operations/operation.ts";
import type { NodeReader } from "../node-reader.ts";
import { inputTypesOf } from "../port-types.ts";
import { namesOf, type Template } from "../template.ts";
import { readLater } from "./later.ts";
import { readOpen } from "./open.ts";

export interface OperationData {
  readonly operation: string;
  readonly input: Template;
  readonly later: Template | null;
  readonly open: readonly string[];
}

/** `operation` and `input` of a node's data, checked against the catalogue. */
export function readOperation(reader: NodeReader, { isReading = false }: { readonly isReading?: boolean } = {}): OperationData {
  const operation = reader.text("operation", { required: true, instead: "write the slug of an operation" });
  const known = findOperation(reader, operation);
  const input = reader.inputs("input", known === undefined ? {} : inputTypesOf(known));
  if (known !== undefined) checkInput(reader, known, input);
  const isStore = known?.origin === "object";
  const isOwn = known === undefined || known.origin === "package" || known.origin === "function";
  const open = isReading ? [] : readOpen(reader, input, isOwn ? null : `${operation} is part of the host`);
  const later = isReading ? null : readLater(reader, isStore ? `${operation} is done in the store at once` : null);
  return { operation, input, later, open };
}

function findOperation(reader: NodeReader, name: string): Operation | undefined {
  if (reader.catalogue === null || name === "") return undefined;
  const known = reader.catalogue.operation(name);
  if (known === undefined) {
    reader.error("operation", `names \`${name}\`, which is no operation here.${didYouMean(name, reader.catalogue.operationNames())}`);
    return undefined;
  }
  if (known.type === "trigger") reader.error("operation", `names \`${name}\`, which is a trigger; a step needs an action.`);
  return known;
}

function checkInput(reader: NodeReader, operation: Operation, input: Template): void {
  const names = namesOf(input);
  const port = operation.inputs[0];
  if (names === null || port === undefined) return;
  for (const field of port.fields) {
    if (field.isRequired && field.defaultValue === undefined && !names.includes(field.name)) {
      reader.error("input", `has no \`${field.name}\`, which ${operation.slug} needs.`);
    }
  }
  if (port.isOpen === true) return;
  const known = port.fields.map((field) => field.name);
  for (const name of names) {
    if (!known.includes(name)) reader.error("input", `has \`${name}\`, which ${operation.slug} does not take.${didYouMean(name, known)}`);
  }
}
