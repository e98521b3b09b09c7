/** What the tests of the Node runtime share: a real sandbox, and packages whose code is a text of the test. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  callOnce,
  openTestSandbox,
  packageOf,
  requestOf,
  type TestSandbox,
} from "../../packages/server/src/sandbox/fixtures/test-sandbox.ts";
import type { CallHandler, CallOutcome, CallRequest, PackageCode, VersionCode } from "../../packages/server/src/sandbox/sandbox.ts";

export class NodePackages {
  readonly sandbox: TestSandbox["sandbox"];
  readonly events: TestSandbox["events"];
  readonly #folders: string[] = [];

  private constructor({ sandbox, events }: TestSandbox) {
    this.sandbox = sandbox;
    this.events = events;
  }

  static async start(): Promise<NodePackages> {
    return new NodePackages(await openTestSandbox({ warmRunners: 0 }));
  }

  async stop(): Promise<void> {
    await this.sandbox.close();
    await Promise.all(this.#folders.map((folder) => rm(folder, { recursive: true, force: true })));
  }

  /** A version whose functions are the texts of function expressions. */
  async version(
    functions: Readonly<Record<string, string>>,
    options: { readonly before?: string } & Partial<PackageCode> = {},
  ): Promise<VersionCode> {
    const { before = "", ...code } = options;
    const entries = Object.entries(functions).map(([name, text]) => `${JSON.stringify(name)}: ${text}`);
    const path = await this.#write({
      "code/package.json": '{"main":"./dist/index.js"}',
      "code/dist/index.js": `${before}\nexports.functionFactory = { ${entries.join(",\n")} };\n`,
    });
    const folder = async (): Promise<{ path: string; release(): void }> => ({ path, release: () => undefined });
    // Each version has a digest of its own: the folder's name is in it.
    const version = packageOf(JSON.stringify({ functions: Object.keys(functions) }), { folder, ...code });
    return { ...version, digest: Buffer.from(path).toString("hex").slice(-64) };
  }

  run(
    version: VersionCode,
    path: string,
    event: unknown = {},
    over: Partial<CallRequest> & { readonly handler?: CallHandler } = {},
  ): Promise<CallOutcome> {
    const { handler, ...rest } = over;
    const base = requestOf(path, event, { version, kind: "handler" });
    const request = { ...base, ...rest, limits: { ...base.limits, cpuMs: 2000, wallMs: 10_000, ...rest.limits } };
    return callOnce(this.sandbox, { request, lane: "action", ...(handler === undefined ? {} : { handler }) });
  }

  /** One call of one function of a package of its own. */
  async once(text: string, event: unknown = {}, options: Parameters<NodePackages["version"]>[1] = {}): Promise<CallOutcome> {
    return this.run(await this.version({ f: text }, options), "f", event);
  }

  async #write(files: Readonly<Record<string, string>>): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "plinth-node-package-"));
    this.#folders.push(folder);
    await chmod(folder, 0o755);
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true, mode: 0o755 });
      await writeFile(join(folder, name), text, { mode: 0o644 });
    }
    return folder;
  }
}

/** The value of a call that succeeded. */
export function valueOf(outcome: CallOutcome): unknown {
  if (outcome.kind !== "ok") throw new Error(`the call ended as ${JSON.stringify(outcome)}`);
  return JSON.parse(outcome.valueText);
}
