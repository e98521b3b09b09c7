/** What is offered for monitoring fits the host: the smoke script runs, the dashboard asks for metrics that are there. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ERRORS } from "@plinth/core/errors.ts";
import { startTestHost, type TestHost } from "../../packages/server/src/doors/test/test-host.ts";
import { startLocalHost } from "../../tools/local-host.ts";

const folder = join(import.meta.dirname, "../../monitoring");
const run = promisify(execFile);
let host: TestHost;

beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.remove());

test("the smoke script finds its call in the telemetry, and fails without one", async () => {
  const env = { PATH: process.env["PATH"], PLINTH_URL: host.url, PLINTH_ADMIN_KEY: host.adminKey };
  const { stdout } = await run("sh", [join(folder, "smoke.sh")], { env });
  expect(stdout).toContain("All telemetry is there.");
  expect(stdout).not.toContain("FAIL");
  const wrong = run("sh", [join(folder, "smoke.sh")], { env: { ...env, PLINTH_ADMIN_KEY: "wrong-key-of-nobody" } });
  await expect(wrong).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining("FAIL a call succeeds") });
}, 60_000);

test("the dashboard asks only for metrics and error codes that the host has", async () => {
  const dashboard = await readFile(join(folder, "grafana-dashboard.json"), "utf8");
  const { panels } = JSON.parse(dashboard) as { readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[] };
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  expect(expressions.length).toBeGreaterThan(20);
  const text = (await host.send("/metrics")).text;
  const known = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const asked = new Set(expressions.flatMap((expression) => expression.match(/\bplinth_[a-z_]+/g) ?? []));
  expect([...asked].map((name) => name.replace(/_bucket$/, "")).filter((name) => !known.has(name))).toEqual([]);
  const codes = expressions.flatMap((expression) => /code=~"([^"]+)"/.exec(expression)?.[1]?.split("|") ?? []);
  expect(codes.filter((code) => !(code in ERRORS))).toEqual([]);
});

test("a host that is told of a collector sends to it, at the latest when it stops", async () => {
  const paths: string[] = [];
  const collector = createServer((request, response) => {
    paths.push(request.url ?? "");
    request.resume().on("end", () => response.setHeader("content-type", "application/json").end("{}"));
  }).listen(0, "127.0.0.1");
  await once(collector, "listening");
  const { port } = collector.address() as AddressInfo;
  const process = await startLocalHost(["--otlp-endpoint", `http://127.0.0.1:${port}`]);
  const answer = await fetch(`${process.connection.url}/v1/operations`, { headers: { authorization: `Bearer ${process.connection.key}` } });
  expect(answer.status).toBe(200);
  await process.stop();
  collector.close();
  expect(paths).toContain("/v1/metrics");
}, 60_000);
