import answer from "./functions/answer";
import suggest_priority from "./functions/suggest_priority";

/** Names of the manifest's functions → what runs. */
export const functionFactory = { answer, suggest_priority } as const;
