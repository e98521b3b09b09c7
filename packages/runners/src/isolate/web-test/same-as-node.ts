/** Runs one piece of code in the guest's context and in Node, whose own implementation is the measure. */
import { expect } from "vitest";
import { WebContext } from "./web-context.ts";

type AsyncFunctionConstructor = new (parameter: string, body: string) => (input: unknown) => Promise<unknown>;
const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor as AsyncFunctionConstructor;

/** The result of `body`, an async function of `$input`, as JSON has it; the same from both. */
export async function sameAsNode(context: WebContext, body: string, input?: unknown): Promise<unknown> {
  const expected: unknown = await new AsyncFunction(
    "$input",
    `return JSON.parse(JSON.stringify(await (async () => { ${body} })() ?? null));`,
  )(input);
  expect(await context.run(`return (await (async () => { ${body} })()) ?? null;`, input)).toEqual(expected);
  return expected;
}

/** For bodies: the result of a function, or the kind of error that it ends with. */
export const ATTEMPT = `
  const attempt = (work) => { try { return { value: work() }; } catch (error) { return { error: error.name }; } };
`;
