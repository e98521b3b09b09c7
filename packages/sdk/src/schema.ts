/** What describes inputs and outputs: Convex validators, and schemas of any library that keeps to Standard Schema (zod, valibot, …). */
import type { GenericValidator, Infer, ObjectType, PropertyValidators } from "convex/values";

/** The part of Standard Schema (standardschema.dev) that is used here. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] };

/** `v.object({…})` or any other validator, `{name: validator}`, or a schema of a library. */
export type OperationSchema = GenericValidator | PropertyValidators | StandardSchema;

/** What code gets of a value that was checked. */
export type Checked<S> =
  S extends StandardSchema<unknown, infer Output>
    ? Output
    : S extends GenericValidator
      ? Infer<S>
      : S extends PropertyValidators
        ? ObjectType<S>
        : unknown;

/** What is given to be checked. */
export type Unchecked<S> = S extends StandardSchema<infer Input, unknown> ? Input : Checked<S>;
