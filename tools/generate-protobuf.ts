/** Makes JavaScript and its types from the `.proto` files of the server: `node tools/generate-protobuf.ts`. No network is used. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const folder = join(root, "packages/server/src/protobuf");
const bin = join(root, "node_modules/.bin");
// JavaScript beside declarations: TypeScript that is generated has enums, which Node does not run.
const template = {
  version: "v2",
  plugins: [{ local: join(bin, "protoc-gen-es"), out: "_generated", opt: ["target=js+dts", "import_extension=js"] }],
  clean: true,
};

const path = [join(process.execPath, ".."), process.env["PATH"] ?? ""].join(":");
const { status } = spawnSync(join(bin, "buf"), ["generate", ".", "--template", JSON.stringify(template)], {
  cwd: folder,
  stdio: "inherit",
  env: { ...process.env, PATH: path },
});
process.exit(status ?? 1);
