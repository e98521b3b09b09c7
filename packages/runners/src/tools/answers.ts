/** What a tool of the jail answers: exactly one of the three. The host reads it as hostile text. */
export type ToolAnswer =
  | { readonly value: unknown }
  /** What is wrong with the text, for its author. */
  | { readonly failed: string }
  /** The process has no memory left for it, and is of no use any more. */
  | { readonly outOfMemory: true };
