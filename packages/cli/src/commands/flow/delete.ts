/** `plinth flow delete`. */
import type { Command } from "commander";
import { call } from "../../client.ts";
import { confirmOrFail } from "../../confirm.ts";
import { findConnection } from "../../connection.ts";
import { printJson, success } from "../../output.ts";
import type { GlobalOptions } from "../table.ts";

export function addDelete(group: Command): void {
  group
    .command("delete")
    .description("Delete a flow with its versions, tests and ended runs; refused while runs go on")
    .argument("<flow>")
    .option("--yes", "do not ask")
    .action(async (flow: string, options: { readonly yes?: boolean }, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      await confirmOrFail(`This deletes the flow ${flow} with its versions, tests and ended runs.`, options.yes === true);
      const json = await call(findConnection(globals), `/v1/flows/${encodeURIComponent(flow)}`, { method: "DELETE" });
      if (globals.json === true) printJson(json);
      else success(`${flow} is deleted`);
    });
}
