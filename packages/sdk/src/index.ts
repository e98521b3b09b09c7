/** What functions on Plinth can do beyond the `convex` package. */
export { emit } from "./emit.ts";
export { saveArtefact } from "./artefact.ts";
