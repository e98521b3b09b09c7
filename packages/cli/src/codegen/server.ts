/** `server.d.ts`: the function builders, typed with this app's data model. */
export function serverDeclaration(): string {
  return `import type {
  ActionBuilder,
  GenericActionCtx,
  GenericDatabaseReader,
  GenericDatabaseWriter,
  GenericMutationCtx,
  GenericQueryCtx,
  HttpActionBuilder,
  MutationBuilder,
  QueryBuilder,
} from "convex/server";
import type { DataModel } from "./dataModel.js";

/** A public query: reads, never writes. */
export declare const query: QueryBuilder<DataModel, "public">;
/** A query that only other functions can call. */
export declare const internalQuery: QueryBuilder<DataModel, "internal">;
/** A public mutation: reads and writes in one transaction. */
export declare const mutation: MutationBuilder<DataModel, "public">;
/** A mutation that only other functions can call. */
export declare const internalMutation: MutationBuilder<DataModel, "internal">;
/** A public action: may reach the outside; reads and writes by calling queries and mutations. */
export declare const action: ActionBuilder<DataModel, "public">;
/** An action that only other functions can call. */
export declare const internalAction: ActionBuilder<DataModel, "internal">;
/** A handler of an HTTP request, routed by \`http.ts\`. */
export declare const httpAction: HttpActionBuilder;

export type QueryCtx = GenericQueryCtx<DataModel>;
export type MutationCtx = GenericMutationCtx<DataModel>;
export type ActionCtx = GenericActionCtx<DataModel>;
export type DatabaseReader = GenericDatabaseReader<DataModel>;
export type DatabaseWriter = GenericDatabaseWriter<DataModel>;
`;
}

/** `server.js` */
export function serverModule(): string {
  return `import {
  actionGeneric,
  httpActionGeneric,
  internalActionGeneric,
  internalMutationGeneric,
  internalQueryGeneric,
  mutationGeneric,
  queryGeneric,
} from "convex/server";

export const query = queryGeneric;
export const internalQuery = internalQueryGeneric;
export const mutation = mutationGeneric;
export const internalMutation = internalMutationGeneric;
export const action = actionGeneric;
export const internalAction = internalActionGeneric;
export const httpAction = httpActionGeneric;
`;
}
