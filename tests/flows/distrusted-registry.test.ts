/** A registry whose certificate nobody vouches for ends an install at once, with the reason. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleJavascript } from "../../packages/cli/src/flow-dependencies/bundle-javascript.ts";
import { bundlePython } from "../../packages/cli/src/flow-dependencies/bundle-python.ts";
import { distrust } from "../../packages/cli/src/package/install-failure.ts";
import { selfSigned } from "../abuse/network/certificate.ts";

const HAS_PIP = spawnSync("python3", ["-m", "pip", "--version"]).status === 0;
const SLOW = { timeout: 120_000 };
const folder = mkdtempSync(join(tmpdir(), "plinth-distrusted-"));
const server = createServer({ ...selfSigned({ names: ["localhost"] }) }, (_request, response) => response.end("{}"));
let refused = 0;
server.on("tlsClientError", () => (refused += 1));
const before = process.env;
process.env = { ...before };

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `https://localhost:${typeof address === "object" && address !== null ? address.port : 0}/`;
  Object.assign(process.env, {
    ...{ npm_config_registry: url, npm_config_cache: join(folder, "cache"), npm_config_userconfig: join(folder, "npmrc") },
    ...{ PIP_INDEX_URL: url, PIP_CONFIG_FILE: "/dev/null", PIP_RETRIES: "1", PIP_NO_CACHE_DIR: "1" },
  });
  for (const name of ["NODE_EXTRA_CA_CERTS", "npm_config_cafile", "PIP_CERT", "PIP_FIND_LINKS"]) Reflect.deleteProperty(process.env, name);
});
afterAll(() => {
  process.env = before;
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const options = { dependencies: ["tiny"], pinned: [], update: () => undefined };

test("npm is ended when it is first refused, not after its pauses", SLOW, async () => {
  await expect(bundleJavascript(mkdtempSync(join(folder, "npm-")), options)).rejects.toThrow(
    /^npm does not trust the certificate of the registry \(https:\/\/localhost:\d+: DEPTH_ZERO_SELF_SIGNED_CERT\): name its authority/,
  );
  expect(refused).toBe(1);
});

test.skipIf(!HAS_PIP)("pip says why in the end", SLOW, async () => {
  await expect(bundlePython(mkdtempSync(join(folder, "pip-")), options)).rejects.toThrow(
    /^pip does not trust the certificate of the registry \(certificate verify failed: self.signed certificate\): name its authority/,
  );
});

test("other failures are no distrust", () => {
  for (const code of ["ECONNREFUSED", "ERR_STREAM_PREMATURE_CLOSE", "E404"])
    expect(distrust(`npm http fetch GET https://registry.example/tiny attempt 1 failed with ${code}`)).toBeNull();
  expect(distrust("npm http fetch GET https://r.example/@a%2fb attempt 2 failed with CERT_HAS_EXPIRED")).toBe(
    "https://r.example: CERT_HAS_EXPIRED",
  );
});
