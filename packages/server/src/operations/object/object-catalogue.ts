/** Operations on the tables of a branch. A schema is the same object while it is enforced, so what is made from it is made once. */
import { objectOperations, type ObjectOperation } from "@plinth/core/operations/object-operations.ts";
import type { Operation } from "@plinth/core/operations/operation.ts";
import type { Schema } from "@plinth/core/documents/schema.ts";
import type { Transaction } from "../../database/database.ts";

export interface ObjectCatalogue {
  readonly operations: readonly Operation[];
  readonly bySlug: ReadonlyMap<string, ObjectOperation>;
}

const NONE: ObjectCatalogue = { operations: [], bySlug: new Map() };
const catalogues = new WeakMap<Schema, ObjectCatalogue>();

/** As the transaction sees them: they are in its read set. */
export async function objectCatalogue(transaction: Pick<Transaction, "schema">): Promise<ObjectCatalogue> {
  return objectsOf(await transaction.schema());
}

export function objectsOf(schema: Schema | null): ObjectCatalogue {
  if (schema === null) return NONE;
  const known = catalogues.get(schema);
  if (known !== undefined) return known;
  const all = objectOperations(schema);
  const made = {
    operations: all.map(({ operation }) => operation),
    bySlug: new Map(all.map((each) => [each.operation.slug, each])),
  };
  catalogues.set(schema, made);
  return made;
}
