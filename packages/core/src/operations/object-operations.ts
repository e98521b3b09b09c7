/**
 * Operations on the documents of a branch, made from its schema: for each table five actions (create, get, update, delete, list) and
 * three triggers (created, updated, deleted).
 */
import type { IndexSchema, Schema, TableSchema } from "../documents/schema.ts";
import type { FieldValidator, Validator } from "../documents/validators.ts";
import { limit } from "../limits.ts";
import { schemaOfField } from "./json-schema.ts";
import { objectNames, titleOf } from "./object-name.ts";
import { DEFAULT_PORT, type Operation, type OperationField, type Port } from "./operation.ts";
import { fieldOfValidator, fieldsOfObject, orNull } from "./validator-fields.ts";

export const OBJECTS_NAMESPACE = "objects";

export type ObjectVerb = "create" | "get" | "update" | "delete" | "list";
export type ObjectChange = "created" | "updated" | "deleted";

export interface ObjectOperation {
  readonly operation: Operation;
  /** Name of the object. */
  readonly object: string;
  readonly table: TableSchema;
  readonly does: ObjectVerb | ObjectChange;
  /** Fields of a document as the validator has them; null when documents are any objects. */
  readonly fields: ReadonlyMap<string, FieldValidator> | null;
}

/** Eight operations for each table, in the order of the tables. */
export function objectOperations(schema: Schema): readonly ObjectOperation[] {
  const names = objectNames(schema.tables.keys());
  const slugs = new Set<string>();
  return [...names]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([tableName, object]) => {
      const table = schema.tables.get(tableName);
      if (table === undefined) return [];
      return new OfTable(table, object, schema.schemaValidation).all().map((made) => {
        let { slug } = made.operation;
        for (let i = 2; slugs.has(slug); i += 1) slug = `${made.operation.slug}_${i}`;
        slugs.add(slug);
        return slug === made.operation.slug ? made : { ...made, operation: { ...made.operation, slug } };
      });
    });
}

class OfTable {
  readonly #table: TableSchema;
  readonly #object: string;
  readonly #fields: ReadonlyMap<string, FieldValidator> | null;

  constructor(table: TableSchema, object: string, checked: boolean) {
    this.#table = table;
    this.#object = object;
    this.#fields = checked ? fieldsOfDocuments(table.documentType) : null;
  }

  all(): readonly ObjectOperation[] {
    const title = titleOf(this.#object).toLowerCase();
    const a = `${/^[aeiou]/.test(title) ? "an" : "a"} ${title}`;
    const id = idField(this.#table.name, `Id of the ${title}.`);
    const document = this.#documentFields();
    const write = this.#writeFields();
    return [
      this.#action("create", `Create ${a}`, { inputs: write, outputs: document }),
      this.#action("get", `Read one ${title} by its id`, { inputs: [id], outputs: document }),
      this.#action("update", `Change fields of ${a}; the others stay as they are, and null takes an optional field away`, {
        inputs: [id, ...write.map((field) => this.#patchField(field))],
        outputs: document,
      }),
      this.#action("delete", `Delete ${a}`, { inputs: [id], outputs: [id] }),
      this.#action("list", `List ${title} documents page by page, the oldest first unless the order says otherwise`, {
        inputs: this.#listInputs(),
        outputs: listOutputs(document),
      }),
      this.#trigger("created", `When ${a} is created`, document),
      this.#trigger("updated", `When ${a} is changed`, document),
      this.#trigger("deleted", `When ${a} is deleted; the fields are those that it had`, document),
    ];
  }

  #action(
    verb: ObjectVerb,
    description: string,
    ports: { readonly inputs: readonly OperationField[]; readonly outputs: readonly OperationField[] },
  ): ObjectOperation {
    const effect = verb === "get" || verb === "list" ? "read" : "write";
    const operation: Operation = {
      ...this.#common(`${verb}_${this.#object}`, `${titleOf(verb)} ${titleOf(this.#object).toLowerCase()}`, description),
      type: "action",
      isAgentSkill: true,
      inputs: [port(ports.inputs)],
      outputs: [port(ports.outputs)],
      effect,
      scopes: [{ scope: `${this.#object}:${effect}`, optional: false, reason: null }],
    };
    return { operation, object: this.#object, table: this.#table, does: verb, fields: this.#fields };
  }

  #trigger(change: ObjectChange, description: string, outputs: readonly OperationField[]): ObjectOperation {
    const operation: Operation = {
      ...this.#common(`${this.#object}_${change}`, `${titleOf(this.#object)} ${change}`, description),
      type: "trigger",
      isAgentSkill: false,
      inputs: [port([])],
      outputs: [port(outputs)],
      effect: "read",
      scopes: [{ scope: `${this.#object}:read`, optional: false, reason: null }],
    };
    return { operation, object: this.#object, table: this.#table, does: change, fields: this.#fields };
  }

  #common(slug: string, displayName: string, description: string) {
    return {
      slug,
      namespace: OBJECTS_NAMESPACE,
      displayName,
      description: `${description}.`,
      origin: "object" as const,
      isWorkflowNode: true,
      timeoutMs: null,
    };
  }

  /** What may be written of a document. */
  #writeFields(): readonly OperationField[] {
    return this.#fields === null ? [field("document", "struct", "Fields of the document.", true)] : fieldsOfObject(this.#fields);
  }

  #documentFields(): readonly OperationField[] {
    return [
      idField(this.#table.name, "Id of the document."),
      field("_creationTime", "double", "Milliseconds since 1970.", true),
      ...this.#writeFields(),
    ];
  }

  #patchField(written: OperationField): OperationField {
    const optional = { ...written, isRequired: false };
    if (this.#fields === null || this.#fields.get(written.name)?.optional !== true) return optional;
    return { ...optional, schema: orNull(schemaOfField({ ...written, description: "" })) };
  }

  #listInputs(): readonly OperationField[] {
    const filters = this.#filterFields();
    const max = limit("objectListRowsMax");
    return [
      ...(filters.length === 0
        ? []
        : [{ ...field("filter", "composite", "Values that fields of an index have to have.", false), fields: filters }]),
      {
        ...field("limit", "int", `How many documents, ${max} at most.`, false),
        defaultValue: limit("objectListRows"),
        schema: { type: "integer", minimum: 1, maximum: max },
      },
      field("cursor", "text", "`next_cursor` of the page before.", false),
      {
        ...field("order", "enum", "By the index that serves the filter, or the time of creation.", false),
        allowedValues: ["asc", "desc"],
        defaultValue: "asc",
      },
    ];
  }

  /** Top-level fields of indexes. Nested ones cannot be said with plain names. */
  #filterFields(): readonly OperationField[] {
    const names = new Set(this.#table.indexes.filter(({ staged }) => !staged).flatMap(({ fields }) => fields));
    return [...names]
      .filter((name) => !name.includes("."))
      .sort()
      .flatMap((name) => {
        if (this.#fields === null) return [field(name, "json_value", "", false)];
        const validator = this.#fields.get(name)?.validator;
        return validator === undefined ? [] : [fieldOfValidator(name, validator, { isRequired: false })];
      });
  }
}

/**
 * The fields that documents may have. Of a union of objects each field that any of them has, optional unless all demand it; null when
 * documents are any objects.
 */
export function fieldsOfDocuments(type: Validator): ReadonlyMap<string, FieldValidator> | null {
  if (type.type === "object") return type.fields;
  if (type.type !== "union" || type.members.length === 0) return null;
  const members = type.members.flatMap((member) => (member.type === "object" ? [member.fields] : []));
  const merged = new Map<string, FieldValidator>();
  for (const name of new Set(members.flatMap((fields) => [...fields.keys()]))) {
    const found = members.flatMap((fields) => fields.get(name) ?? []);
    merged.set(name, {
      validator: unionOf(found.map(({ validator }) => validator)),
      optional: found.length < members.length || found.some(({ optional }) => optional),
    });
  }
  return merged;
}

function unionOf(validators: readonly Validator[]): Validator {
  const members = validators.flatMap((validator) => (validator.type === "union" ? validator.members : [validator]));
  const [only] = members;
  if (members.length === 1 && only !== undefined) return only;
  const texts = new Set<string>();
  const others: Validator[] = [];
  for (const member of members) {
    if (member.type === "literal" && typeof member.value === "string") texts.add(member.value);
    else others.push(member);
  }
  return { type: "union", members, texts, others };
}

/**
 * The index that serves a filter best: the one whose first fields are in the filter for the longest; undefined when none begins with
 * one of them.
 */
export function indexForFilter(
  indexes: readonly IndexSchema[],
  names: ReadonlySet<string>,
): { index: IndexSchema; served: number } | undefined {
  let best: { index: IndexSchema; served: number } | undefined;
  for (const index of indexes) {
    if (index.staged) continue;
    const missing = index.fields.findIndex((name) => !names.has(name));
    const served = missing === -1 ? index.fields.length : missing;
    if (served > (best?.served ?? 0)) best = { index, served };
  }
  return best;
}

function listOutputs(document: readonly OperationField[]): readonly OperationField[] {
  return [
    { ...field("items", "array", "The documents.", true), baseType: "composite", fields: document },
    field("has_more", "bool", "Whether there is another page.", true),
    field("next_cursor", "text", "Where the next page begins.", false),
  ];
}

function idField(table: string, description: string): OperationField {
  return { ...field("_id", "id", description, true), idType: [table] };
}

function field(name: string, fieldType: string, description: string, isRequired: boolean): OperationField {
  return { name, description, fieldType, baseType: null, idType: [], allowedValues: [], isRequired, ui: {} };
}

function port(fields: readonly OperationField[]): Port {
  return { name: DEFAULT_PORT, fields };
}
