/**
 * Builds the isolate runtime into the folder that its argument names. A process of its own, because the
 * bundler keeps a helper process and its memory for as long as its host lives.
 */
import { must } from "@plinth/core/assert.ts";
import { buildIsolateImage } from "@plinth/runners/isolate/build-image.ts";

await buildIsolateImage({ outDir: must(process.argv[2], "the folder is the first argument") });
