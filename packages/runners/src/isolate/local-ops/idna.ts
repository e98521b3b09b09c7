import { domainToASCII } from "node:url";

/** argText: a domain; result: its ASCII form, or nothing when it has none. */
export function toAscii(argText: string): string {
  return domainToASCII(argText);
}
