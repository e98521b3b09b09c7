/** T1 and T2 of answer-tokens.ts; that no file has a token is tested on a real host (tests/flows/approvals.test.ts). */
import { afterEach, beforeEach, expect, test } from "vitest";
import { KeyRing } from "../keyrings/encryption.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { AnswerTokens, newAnswerToken, placeOfAnswer } from "./answer-tokens.ts";
import { ScriptHost } from "./scripts/test-script-host.ts";

const runtime = createSystemRuntime();
const PLACE = { scope: { tenant: "acme", branch: "main" }, run: "0".repeat(32) };
const [old, next] = [runtime.randomBytes(32), runtime.randomBytes(32)];
const tokensOf = (...keys: readonly Uint8Array[]) => new AnswerTokens(new KeyRing(keys, runtime), runtime);

let host: ScriptHost;
beforeEach(async () => {
  host = await ScriptHost.open();
});
afterEach(() => host.close());

test("a token follows from its seed, its place and the key that the seed names", () => {
  const { seed, token } = tokensOf(old).make(PLACE);
  expect(placeOfAnswer(token)).toEqual(PLACE);
  expect(tokensOf(next, old).of(PLACE, seed)).toBe(token);
  expect(tokensOf(next).of(PLACE, seed)).toBeNull();
  expect(tokensOf(old).of(PLACE, "")).toBeNull();
  const secrets = [
    token,
    tokensOf(old).make(PLACE).token,
    tokensOf(old).of({ ...PLACE, run: "1".repeat(32) }, seed),
    tokensOf(old).of({ ...PLACE, scope: { tenant: "acme", branch: "other" } }, seed),
  ].map((each) => each?.split(".")[1]);
  expect(new Set(secrets).size).toBe(4);
  expect(secrets.every((secret) => secret?.length === 32 && !seed.includes(secret))).toBe(true);
});

test("a wait that an earlier version of the host wrote is shown and answered with its token", async () => {
  await host.publish({ type: "wait", data: { for: "callback", deadline: "1h" }, retry: undefined });
  const id = await host.start();
  await host.until(async () => (await host.run(id)).answers.length === 1);
  const [open] = (await host.run(id)).answers;
  const token = String(open?.token);
  await host.changeRun(id, ({ answers, ...row }) => ({
    ...row,
    answers: answers.map(({ key, node, kind, untilMs }) => ({ key, node, kind, untilMs, token })),
  }));
  await host.restart();
  expect((await host.run(id)).answers).toEqual([open]);
  await expect(
    host.flows.answerByToken({ token: newAnswerToken({ scope: host.scope, run: id }, runtime), via: "http", result }),
  ).rejects.toThrow();
  await host.flows.answerByToken({ token, via: "http", result });
  expect(await host.ended(id)).toMatchObject({ status: "completed", output: 7, answers: [] });
});

const result = { kind: "output", output: 7 } as const;
