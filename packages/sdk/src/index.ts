/** What functions on Plinth can do beyond the `convex` package. */
export { emit } from "./emit.ts";
export { saveArtefact } from "./artefact.ts";
export { operation, type ActionSettings, type OperationContext, type RegisteredOperation, type TriggerSettings } from "./operation.ts";
export { OperationError } from "./operation-error.ts";
export { later, step, type Later, type Step, type StepCallback } from "./step.ts";
export type { OperationSchema, StandardSchema } from "./schema.ts";
