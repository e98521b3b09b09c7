/** Files that calls leave, from each runtime, through the door to whoever may read them. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createBundler } from "../../packages/cli/src/bundle/bundle.ts";
import { archiveOf } from "../../packages/server/src/packages/test-packages.ts";
import { startLocalHost, type LocalHost } from "../../tools/local-host.ts";

let host: LocalHost;
const MANIFEST = 'version: "2"\nname: files\ndescription: Leaves files.\nfunctions:\n  - name: leave\n    description: Leaves a file.\n';
const NODE = {
  "manifest.yaml": MANIFEST,
  "code/package.json": '{"main":"./dist/index.js"}',
  "code/dist/index.js": `exports.functionFactory = { leave: async (events) => {
    const { name, size, times = 1 } = events[0].payload;
    const bodyBase64 = Buffer.alloc(size ?? 5, "a").toString("base64");
    for (let i = 1; i < times; i++)
      await Convex.asyncSyscall("plinth/saveArtefact", JSON.stringify({ name, contentType: "text/plain", bodyBase64 }));
    return JSON.parse(await Convex.asyncSyscall("plinth/saveArtefact", JSON.stringify({ name, contentType: "text/plain", bodyBase64 })));
  } };`,
};
const PYTHON = {
  "manifest.yaml": MANIFEST,
  "code/function_factory.py":
    'import plinth\n\ndef leave(events):\n    plinth.save_artefact(events[0]["payload"]["name"], "aaaaa", "text/html")\n    return 1\n\nfunction_factory = {"leave": leave}\n',
};

beforeAll(async () => {
  host = await startLocalHost();
  const bundler = createBundler(join(import.meta.dirname, "functions", "convex"));
  try {
    const { script, sourceMap } = await bundler.bundle();
    expect((await post("/v1/deploy", JSON.stringify({ script, sourceMap }), "application/json")).status).toBe(200);
  } finally {
    await bundler.dispose();
  }
  for (const [name, files] of Object.entries({ node: NODE, python: PYTHON }))
    expect((await post(`/v1/packages/${name}/versions`, archiveOf(files), "application/gzip")).status).toBe(200);
}, 60_000);
afterAll(() => host.stop());

const headers = (key = host.connection.key) => ({ authorization: `Bearer ${key ?? ""}` });

function post(path: string, body: string | Uint8Array, type: string): Promise<Response> {
  return fetch(host.connection.url + path, { method: "POST", headers: { ...headers(), "content-type": type }, body });
}

async function execute(path: string, args: unknown) {
  const response = await post(
    `/v1/functions/${encodeURIComponent(path)}/execute`,
    JSON.stringify({ args, mode: "async" }),
    "application/json",
  );
  expect(response.status).toBe(202);
  const { id } = (await response.json()) as { readonly id: string };
  const url = `${host.connection.url}/v1/invocations/${id}`;
  for (;;) {
    const record = (await (await fetch(url, { headers: headers() })).json()) as { readonly status: string; readonly artefacts?: unknown };
    if (record.status !== "queued" && record.status !== "running") return { id, record, url };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test.each([
  ["files:leave", "text/plain"],
  ["@node/leave", "text/plain"],
  ["@python/leave", "text/html"],
])("%s leaves a file that can be fetched, and that no browser runs", async (path, contentType) => {
  const { record, url } = await execute(path, { name: "report.txt" });
  expect(record).toMatchObject({ status: "succeeded", artefacts: [{ name: "report.txt", contentType, bytes: 5 }] });
  const found = await fetch(`${url}/artefacts/report.txt`, { headers: headers() });
  expect([found.status, await found.text()]).toEqual([200, "aaaaa"]);
  expect(found.headers.get("content-type")).toBe(contentType);
  expect(found.headers.get("content-disposition")).toBe("attachment");
  expect(found.headers.get("content-security-policy")).toBe("sandbox");
  expect((await fetch(`${url}/artefacts/other.txt`, { headers: headers() })).status).toBe(404);
  expect((await fetch(`${url}/artefacts/report.txt`)).status).toBe(401);
});

test.each([
  ["a name that is none", { name: "../x" }],
  ["more bytes than allowed", { name: "x", size: 9 * 1024 * 1024 }],
])("%s is refused, and the function is told", async (_, args) => {
  const { record } = await execute("@node/leave", args);
  expect(record).toMatchObject({ status: "failed" });
  expect(record.artefacts).toBeUndefined();
});

test("files that replace each other count too, so that one call cannot fill the disk", async () => {
  const { record } = await execute("@node/leave", { name: "x", size: 8 * 1024 * 1024, times: 9 });
  expect(JSON.stringify(record)).toContain("Bytes of all artefacts of one call: 75497472 is over the limit of 67108864");
});
