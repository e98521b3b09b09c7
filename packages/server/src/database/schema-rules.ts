/** What a schema demands of documents and which indexes it declares. Made once for each schema text. */
import { isDeepStrictEqual } from "node:util";
import {
  type CheckOptions,
  checkValue,
  describeFailure,
  type ValidationFailure,
  type Validator,
} from "@plinth/core/documents/validators.ts";
import type { StepBudget } from "@plinth/core/documents/step-budget.ts";
import { type IndexSchema, parseSchema, type Schema } from "@plinth/core/documents/schema.ts";
import type { ValueObject } from "@plinth/core/documents/values.ts";

export class SchemaRules {
  readonly schema: Schema | null;

  private constructor(schema: Schema | null) {
    this.schema = schema;
  }

  /** null = no schema. Throws InvalidPackage. */
  static parse(schemaText: string | null): SchemaRules {
    return new SchemaRules(schemaText === null ? null : parseSchema(schemaText));
  }

  tableNames(): Iterable<string> {
    return this.schema?.tables.keys() ?? [];
  }

  declares(table: string): boolean {
    return this.schema?.tables.has(table) ?? false;
  }

  indexes(table: string): readonly IndexSchema[] {
    return this.schema?.tables.get(table)?.indexes ?? [];
  }

  /** Names of the search and vector indexes of a table, which no query can use. */
  isSearchIndex(table: string, index: string): boolean {
    const schema = this.schema?.tables.get(table);
    return [...(schema?.searchIndexes ?? []), ...(schema?.vectorIndexes ?? [])].some(({ name }) => name === index);
  }

  /** The validator that documents of `table` have to fit; undefined when any fits. */
  validator(table: string): Validator | undefined {
    if (this.schema === null || !this.schema.schemaValidation) return undefined;
    const validator = this.schema.tables.get(table)?.documentType;
    return validator === undefined || validator.type === "any" ? undefined : validator;
  }

  /** Whether both schemas demand the same of the documents of `table`. */
  sameValidator(table: string, other: SchemaRules): boolean {
    const [mine, its] = [this.validator(table), other.validator(table)];
    return isDeepStrictEqual(mine, its);
  }

  /** Why `document`, without its system fields, does not fit; null when it does. */
  check(table: string, document: ValueObject, options: CheckOptions, budget?: StepBudget): string | null {
    const validator = this.validator(table);
    if (validator === undefined) return null;
    const failure: ValidationFailure | null = checkValue(validator, document, options, budget);
    return failure === null ? null : describeFailure(failure);
  }
}
