/** `plinth flow address`: where requests start a flow whose trigger is `webhook`. */
import type { Command } from "commander";
import { call } from "../../client.ts";
import { findConnection } from "../../connection.ts";
import { note, print, printJson } from "../../output.ts";
import type { GlobalOptions } from "../table.ts";
import { part, text } from "./json-parts.ts";

export function addAddress(group: Command): void {
  group
    .command("address")
    .description("Print the address that starts a flow with a webhook trigger; who knows it may start the flow")
    .argument("<flow>")
    .option("--renew", "make another one; the old one starts nothing any more")
    .action(async (flow: string, options: { readonly renew?: boolean }, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const method = options.renew === true ? "POST" : "GET";
      const json = await call(findConnection(globals), `/v1/flows/${encodeURIComponent(flow)}/address`, { method });
      if (globals.json === true) return printJson(json);
      print(text(json, "url"));
      if (part(json, "isOn") !== true) note(`the flow is off; \`plinth flow on ${flow}\` lets it begin`);
    });
}
