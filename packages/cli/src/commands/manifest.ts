import type { AddCommand, GlobalOptions } from "./table.ts";

/** `plinth manifest check`: says what is wrong with a manifest, without a host. */
export const manifest: AddCommand = (program) => {
  const group = program.command("manifest").description("The manifest of a package of handlers");
  group
    .command("check")
    .description("Say what is wrong with a manifest, and what to write instead")
    .argument("[path]", "manifest, or the folder that holds it", ".")
    .action(async (path: string, _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      // The reader of YAML is loaded only when it is needed.
      const { checkManifest, printCheck } = await import("../manifest/check-manifest.ts");
      const result = checkManifest(path);
      printCheck(result, globals.json === true);
      if (result.errors > 0) process.exitCode = 1;
    });
};
