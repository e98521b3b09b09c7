/** What functions on Plinth can do beyond the `convex` package. */
export { emit } from "./emit.ts";
export { saveArtefact } from "./artefact.ts";
export { operation, type ActionSettings, type OperationContext, type RegisteredOperation, type TriggerSettings } from "./operation.ts";
export { OperationError } from "./operation-error.ts";
export { later, step, type Later, type Step, type StepCallback } from "./step.ts";
export { valueHandle } from "./value-handle.ts";
export { readValue, writeValue, type ValueHandle, type ValueSource } from "./values.ts";
export type { OperationSchema, StandardSchema } from "./schema.ts";
