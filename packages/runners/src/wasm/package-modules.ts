/** Reads the modules of a package: one file for each function that the manifest declares. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { limit } from "@plinth/core/limits.ts";
import { PACKAGE_FOLDER } from "@plinth/core/protocol/runner-protocol.ts";
import { PackageError } from "../node/package-folder.ts";
import { ModuleError } from "./byte-reader.ts";
import { checkModule } from "./module-reader.ts";

const NAME = /^[A-Za-z0-9_.-]{1,256}$/;

/** Where the files of the version are. The variable is for processes outside of a jail: inside one there is none. */
export function packageFolder(): string {
  return process.env["PLINTH_PACKAGE_FOLDER"] ?? PACKAGE_FOLDER;
}

/** Function → bytes that the engine may compile. Throws a PackageError that says what is wrong with which module. */
export function readModules(folder: string, names: readonly string[], pagesMax: number): ReadonlyMap<string, Uint8Array> {
  const modules = new Map<string, Uint8Array>();
  let bytesOfAll = 0;
  for (const name of names) {
    const bytes = readModule(folder, name);
    bytesOfAll += bytes.length;
    const max = limit("wasmModulesBytesMax");
    if (bytesOfAll > max) throw new PackageError(`The modules of the package have more than ${max} bytes together.`);
    try {
      modules.set(name, checkModule(bytes, pagesMax));
    } catch (error) {
      if (!(error instanceof ModuleError)) throw error;
      throw new PackageError(`The module code/${name}.wasm cannot be run: ${error.message}.`);
    }
  }
  return modules;
}

function readModule(folder: string, name: string): Uint8Array {
  if (!NAME.test(name)) throw new PackageError(`A module cannot have the name '${name.slice(0, 256)}'.`);
  const file = join(folder, "code", `${name}.wasm`);
  const bytes = statSync(file, { throwIfNoEntry: false })?.size;
  if (bytes === undefined) throw new PackageError(`The package has no module code/${name}.wasm for the function '${name}'.`);
  const max = limit("wasmModuleBytesMax");
  if (bytes > max) throw new PackageError(`The module code/${name}.wasm has ${bytes} bytes and may have ${max}.`);
  return readFileSync(file);
}
