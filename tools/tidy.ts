/**
 * Rules of this project that no linter knows: dependency direction, purity of core, where limits, the environment and
 * the clock may be touched, file names, paths named in the map, dependencies with a reason. One function a rule.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";

const root = join(import.meta.dirname, "..");

interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter((path) => path !== "" && existsSync(join(root, path)));
const sources: readonly SourceFile[] = tracked
  .filter((path) => /\.(?:ts|tsx|mjs)$/.test(path) && !path.includes("/_generated/") && !path.includes("/fixtures/"))
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
const production = sources.filter(
  ({ path }) =>
    path.startsWith("packages/") &&
    !/\.test\.ts$|-contract\.ts$|\/test\/|\/conformance\/|\/test-[a-z-]+\.ts$|\/store-process\.ts$/.test(path),
);

/** package → packages that it may import */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  server: ["core", "runners/isolate/build-image.ts", "runners/python/build-image.ts"],
  runners: ["core/protocol", "core/documents", "core/manifest/yaml-source.ts", "core/errors.ts", "core/limits.ts", "core/assert.ts"],
  cli: ["core"],
  sdk: ["core"],
};

const RULES: Readonly<Record<string, () => readonly string[]>> = {
  "packages depend in one direction": () =>
    production.flatMap(({ path, text }) => {
      const from = path.split("/")[1] ?? "";
      const allowed = MAY_IMPORT[from] ?? [];
      return imports(text)
        .map((specifier) => foreignPackage(path, specifier))
        .filter(
          (target) =>
            target !== undefined &&
            !target.startsWith(`${from}/`) &&
            !allowed.some((prefix) => target === prefix || target.startsWith(`${prefix}/`)),
        )
        .map((target) => `${path} imports ${target}`);
    }),

  "core is pure": () =>
    production
      .filter(({ path }) => path.startsWith("packages/core/"))
      .flatMap(({ path, text }) => {
        const code = withoutComments(text);
        const found = /["']node:|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bprocess\.|\bfetch\(|\bset(?:Timeout|Interval)\(/.exec(
          code,
        );
        return found === null ? [] : [`${path} uses ${found[0]}`];
      }),

  "the environment is read in config.ts only": () =>
    production
      .filter(({ path }) => path.startsWith("packages/server/") && path !== "packages/server/src/config.ts")
      .filter(({ text }) => /\bprocess\.env\b/.test(withoutComments(text)))
      .map(({ path }) => `${path} reads process.env`),

  // The timeout of a response is that of its socket, which alone knows whether its client reads.
  "clock, timers and randomness come from the Runtime": () =>
    production
      .filter(({ path }) => path.startsWith("packages/server/") && !path.startsWith("packages/server/src/runtime/"))
      .flatMap(({ path, text }) => {
        const found =
          /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|(?<!\bresponse\.)\bset(?:Timeout|Interval)\(|\brandomUUID\(|\brandomBytes\(|\bperformance\.now\(/.exec(
            withoutComments(text),
          );
        return found === null || text.slice(0, text.indexOf(found[0]) + found[0].length).endsWith(".randomBytes(")
          ? []
          : [`${path} uses ${found[0]}`];
      }),

  // What runs inside the jail is hostile to the host, so its own numbers limit nothing; the host's do.
  "limits stand in core/limits.ts": () =>
    production
      .filter(({ path }) => path !== "packages/core/src/limits.ts" && !path.startsWith("packages/runners/"))
      .flatMap(({ path, text }) =>
        [...text.matchAll(/\bconst ([A-Z_]*(?:_MAX|_LIMIT))\b[^=]*= [\d_]+\b/g)].map(([, name]) => `${path} defines ${name}`),
      ),

  "files are named for what they hold": () =>
    tracked
      .filter(
        (path) =>
          /(?:^|\/)(?:utils?|helpers?|lib|misc|common|manager)\.[a-z]+$/.test(path) ||
          (/^packages\/.*\.ts$/.test(path) && !path.includes("/_generated/") && !/\/[a-z0-9][a-z0-9.-]*\.ts$/.test(path)),
      )
      .map((path) => `${path} has a name that says nothing, or not in kebab-case`),

  "nothing is unfinished or silenced": () =>
    sources
      .filter(({ path }) => path !== "tools/tidy.ts")
      .flatMap(({ path, text }) =>
        text
          .split("\n")
          .flatMap((line, i) =>
            /\b(?:TODO|FIXME|XXX)\b|@ts-ignore|\b(?:it|test|describe)\.only\(/.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [],
          ),
      ),

  "the map names what exists": () =>
    ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"]
      .filter((page) => existsSync(join(root, page)))
      .flatMap((page) =>
        [...readFileSync(join(root, page), "utf8").matchAll(/`((?:packages|tools|tests|bench|examples|docs)\/[^`\s<>*{}|]+)`/g)]
          .map(([, path]) => path ?? "")
          .filter((path) => !existsSync(join(root, path.replace(/[:#].*$/, ""))))
          .map((path) => `${page} names ${path}`),
      ),

  "every dependency has a reason": () => {
    const reasons = readFileSync(join(root, "docs/dependencies.md"), "utf8");
    return tracked
      .filter((path) => /(?:^|\/)package\.json$/.test(path) && !path.includes("/fixtures/"))
      .flatMap((path) => {
        const json = JSON.parse(readFileSync(join(root, path), "utf8")) as Record<string, Record<string, string> | undefined>;
        const names = ["dependencies", "devDependencies", "optionalDependencies"].flatMap((kind) => Object.keys(json[kind] ?? {}));
        return names
          .filter((name) => !name.startsWith("@plinth/") && !reasons.includes(`\`${name}\``))
          .map((name) => `${path} depends on ${name}`);
      });
  },

  "lock files carry no addresses": () =>
    tracked.filter((path) => path.endsWith("package-lock.json") && /"resolved": "https?:/.test(readFileSync(join(root, path), "utf8"))),

  // `npm ci` refuses a lock file that does not know a package of the repository, so `npm start` fails in a fresh copy.
  "the lock file knows every package of this repository": () => {
    const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as { packages: Record<string, object> };
    return tracked
      .filter((path) => /^(?:packages|examples)\/[^/]+\/package\.json$/.test(path))
      .flatMap((path) => {
        const json = JSON.parse(readFileSync(join(root, path), "utf8")) as Record<string, unknown>;
        const locked: Readonly<Record<string, unknown>> = { ...packages[dirname(path)] };
        const kinds = ["dependencies", "devDependencies", "optionalDependencies"];
        const isKnown = dirname(path) in packages && kinds.every((kind) => isDeepStrictEqual(json[kind] ?? {}, locked[kind] ?? {}));
        return isKnown ? [] : [`${path} differs from the lock file; run \`npm install --package-lock-only\``];
      });
  },
};

function imports(text: string): string[] {
  return [...text.matchAll(/\b(?:from|import\(|import)\s*["']([^"']+)["']/g)].map(([, specifier]) => specifier ?? "");
}

/** `core/documents/values.ts` for an import from another package of this repository, else undefined. */
function foreignPackage(path: string, specifier: string): string | undefined {
  if (specifier.startsWith("@plinth/")) return specifier.slice("@plinth/".length);
  if (!specifier.startsWith(".")) return undefined;
  const resolved = join(path, "..", specifier);
  return resolved.startsWith("packages/") ? resolved.slice("packages/".length) : resolved;
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

let broken = 0;
for (const [rule, check] of Object.entries(RULES)) {
  const findings = check();
  if (findings.length === 0) continue;
  broken += 1;
  console.log(`${rule}:`);
  for (const finding of findings) console.log(`  ${finding}`);
}
if (broken > 0) {
  console.log(`${broken} of ${Object.keys(RULES).length} rules are broken.`);
  process.exit(1);
}
console.log(`All ${Object.keys(RULES).length} rules hold in ${sources.length} files.`);
