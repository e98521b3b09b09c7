import greet from "./functions/greet";
import on_activate from "./functions/on_activate";

/** Names of the manifest's functions → what runs. */
export const functionFactory = { greet, on_activate } as const;
