/** The one door of the SDK to the host: JSON in, JSON out. Present only where functions run. */
declare const Convex: { asyncSyscall(op: string, argText: string): Promise<string> } | undefined;

export async function syscall(op: string, argument: object): Promise<unknown> {
  if (typeof Convex === "undefined") throw new Error(`${op} works inside functions on a Plinth host only.`);
  return JSON.parse(await Convex.asyncSyscall(op, JSON.stringify(argument)));
}
