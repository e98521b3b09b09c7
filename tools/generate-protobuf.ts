/**
 * Makes JavaScript and its types from the `.proto` files of the server: `node tools/generate-protobuf.ts`. With `--check` it writes
 * nothing and fails when what is there is not what it would make. No network is used.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const folder = join(root, "packages/server/src/protobuf");
const generated = join(folder, "_generated");
const bin = join(root, "node_modules/.bin");

if (process.argv.includes("--check")) check();
else generate(generated);

function generate(out: string): void {
  // JavaScript beside declarations: TypeScript that is generated has enums, which Node does not run.
  const template = {
    version: "v2",
    plugins: [{ local: join(bin, "protoc-gen-es"), out, opt: ["target=js+dts", "import_extension=js"] }],
    clean: true,
  };
  const path = [join(process.execPath, ".."), process.env["PATH"] ?? ""].join(":");
  const { status } = spawnSync(join(bin, "buf"), ["generate", ".", "--template", JSON.stringify(template)], {
    cwd: folder,
    stdio: "inherit",
    env: { ...process.env, PATH: path },
  });
  if (status !== 0) process.exit(status ?? 1);
}

function check(): void {
  const fresh = mkdtempSync(join(tmpdir(), "plinth-protobuf-"));
  try {
    generate(fresh);
    const made = filesOf(fresh);
    const there = filesOf(generated);
    const stale = [...new Set([...made.keys(), ...there.keys()])].filter((file) => made.get(file) !== there.get(file));
    if (stale.length === 0) return;
    console.log(`Not what the .proto files say: ${stale.join(", ")}. Run \`node tools/generate-protobuf.ts\`.`);
    process.exitCode = 1;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function filesOf(from: string): ReadonlyMap<string, string> {
  const files = readdirSync(from, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path.slice(from.length + 1), readFileSync(path, "utf8")];
    }),
  );
}
