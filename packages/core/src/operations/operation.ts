/**
 * What an operation is: typed input ports, typed output ports and, on the host, an executor. Native ones, those that are made from
 * tables, those of packages and those of functions folders are all of this one kind. Everything here is data.
 *
 * O1 Fields are the one description: JSON Schema (for MCP, OpenAPI, gRPC), forms and checks at run time are made from them.
 * O2 A slug names one operation of a branch; a package's is also `<package>/<slug>`, and the plain slug means it only where no other
 *    operation has that slug.
 */
import type { FieldDescriptor, ScopeSpec } from "../manifest/manifest.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };
/** JSON Schema 2020-12. */
export type JsonSchema = JsonObject;

export interface OperationField extends FieldDescriptor {
  /** Fields of a composite or struct. */
  readonly fields?: readonly OperationField[];
  /** The exact schema of a value that descriptors cannot say (unions, records, schemas of libraries); what is checked then. */
  readonly schema?: JsonSchema;
}

export interface Port {
  /** `default` unless there are several. */
  readonly name: string;
  readonly fields: readonly OperationField[];
  /** Takes and gives other fields too: its code checks them. */
  readonly isOpen?: boolean;
}

export type OperationOrigin = "native" | "object" | "package" | "function" | "flow";

export interface Operation {
  readonly slug: string;
  /** `plinth` for native ones, `objects`, the package's name, `functions`, or `flows`. */
  readonly namespace: string;
  readonly displayName: string;
  readonly description: string;
  readonly type: "action" | "trigger";
  readonly origin: OperationOrigin;
  readonly isWorkflowNode: boolean;
  readonly isAgentSkill: boolean;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** `read`: changes nothing. `write`: changes documents of the branch. `outside`: may reach other systems. */
  readonly effect: "read" | "write" | "outside";
  readonly scopes: readonly ScopeSpec[];
  readonly timeoutMs: number | null;
}

/** What was run and what came of it, in the plain form. The protobuf form is `devrev.operation.ExecuteOperationResult`. */
export type OperationResult =
  | { readonly kind: "output"; readonly ports: readonly { readonly port: string; readonly values: readonly JsonObject[] }[] }
  | { readonly kind: "error"; readonly error: OperationError };

/** An operation that says no: a result, not a failure of the platform. */
export interface OperationError {
  readonly type: "unknown" | "invalidRequest" | "retryExecution";
  readonly message: string;
}

export const DEFAULT_PORT = "default";
