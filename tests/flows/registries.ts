/** Registries of our own for tests: npm's as a server, PyPI's as a folder of wheels. Versions are added while they are used. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { writeTar } from "@plinth/core/archive/tar-writer.ts";

export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  readonly files: Readonly<Record<string, string>>;
  /** More fields of its package.json. */
  readonly about?: Readonly<Record<string, unknown>>;
}

export interface Wheel {
  readonly name: string;
  readonly version: string;
  readonly files: Readonly<Record<string, string>>;
  /** Other packages that it needs. */
  readonly needs?: readonly string[];
}

export interface Registries {
  /** Makes npm and pip ask here and nowhere else. */
  readonly env: Readonly<Record<string, string>>;
  addPackage(added: NpmPackage): void;
  addWheel(added: Wheel): void;
  /** Requests that npm has made. */
  readonly requests: string[];
  close(): Promise<void>;
}

const WHEEL = `
import json, sys, zipfile
given = json.load(sys.stdin)
with zipfile.ZipFile(given["path"], "w") as wheel:
    for name, text in given["files"].items():
        wheel.writestr(name, text)
`;

export async function openRegistries(): Promise<Registries> {
  const folder = mkdtempSync(join(tmpdir(), "plinth-registries-"));
  const wheels = join(folder, "wheels");
  mkdirSync(wheels);
  const tarballs = new Map<string, Uint8Array>();
  const packages = new Map<string, Record<string, unknown>>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? "").slice(1));
    requests.push(path);
    const tarball = tarballs.get(path);
    const versions = packages.get(path);
    if (tarball !== undefined) response.end(tarball);
    else if (versions === undefined) response.writeHead(404, { "content-type": "application/json" }).end('{"error":"Not found"}');
    else {
      const latest = Object.keys(versions).at(-1);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ name: path, "dist-tags": { latest }, versions }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  return {
    requests,
    env: {
      npm_config_registry: `${url}/`,
      npm_config_cache: join(folder, "npm-cache"),
      npm_config_userconfig: join(folder, "npmrc"),
      npm_config_globalconfig: join(folder, "npmrc-global"),
      // Whoever installs has to say that scripts do not run.
      npm_config_ignore_scripts: "false",
      PIP_NO_INDEX: "1",
      PIP_FIND_LINKS: wheels,
      PIP_NO_CACHE_DIR: "1",
      PIP_CONFIG_FILE: "/dev/null",
    },
    addPackage({ name, version, files, about = {} }) {
      const manifest = { name, version, main: "index.js", ...about };
      const entries = Object.entries({ "package.json": JSON.stringify(manifest), ...files });
      const tar = [...writeTar(entries.map(([path, text]) => ({ path: `package/${path}`, bytes: Buffer.from(text) })))];
      const bytes = gzipSync(Buffer.concat(tar));
      const path = `${name}/-/${version}.tgz`;
      tarballs.set(path, bytes);
      const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
      packages.set(name, {
        ...packages.get(name),
        [version]: { ...manifest, hasInstallScript: Object.hasOwn(about, "scripts"), dist: { tarball: `${url}/${path}`, integrity } },
      });
    },
    addWheel({ name, version, files, needs = [] }) {
      const info = `${name}-${version}.dist-info`;
      const requires = needs.map((each) => `Requires-Dist: ${each}\n`).join("");
      const all: Record<string, string> = {
        ...files,
        [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${requires}`,
        [`${info}/WHEEL`]: "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
      };
      const record = [...Object.keys(all), `${info}/RECORD`].map((path) => `${path},,\n`).join("");
      const path = join(wheels, `${name}-${version}-py3-none-any.whl`);
      execFileSync("python3", ["-c", WHEEL], { input: JSON.stringify({ path, files: { ...all, [`${info}/RECORD`]: record } }) });
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
