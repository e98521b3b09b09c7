/** jq for the tests of keyrings: the jq of the machine in a process of its own. */
import { execFile } from "node:child_process";
import { plinthError } from "@plinth/core/errors.ts";
import type { JailTools } from "../sandbox/tools.ts";

export const testTools: JailTools = {
  run: async (_tenant, _tool, input) => {
    const { program, input: value } = input as { readonly program: string; readonly input: unknown };
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const child = execFile("jq", ["-c", program], { timeout: 5000 }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(plinthError("InvalidArgument", { detail: "jq failed" })),
    );
    child.stdin?.end(JSON.stringify(value));
    const lines = (await promise).split("\n").filter((line) => line !== "");
    return { values: lines.map((line): unknown => JSON.parse(line)) };
  },
};
