/**
 * Makes the types of the HTTP API from its OpenAPI document: `node examples/http-client/generate.ts`. With `--check` it writes nothing
 * and fails when what is there is not what it would make.
 */
import { mkdirSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import openApiTypes, { astToString } from "openapi-typescript";

const document = new URL("../../docs/reference/openapi.json", import.meta.url);
const folder = join(import.meta.dirname, "_generated");
const file = join(folder, "plinth-api.d.ts");

const made = astToString(await openApiTypes(document));
if (!process.argv.includes("--check")) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, made);
} else if (!existsSync(file) || readFileSync(file, "utf8") !== made) {
  console.log("The types are not those of docs/reference/openapi.json. Run `node examples/http-client/generate.ts`.");
  process.exit(1);
}
