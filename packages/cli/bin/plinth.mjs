#!/usr/bin/env node
// Starts the command line on the Node that comes with the project, whatever Node the machine has.
import { fileURLToPath } from "node:url";

process.argv.splice(2, 0, "plinth");
await import(fileURLToPath(new URL("../../../tools/run.mjs", import.meta.url)));
