/** An agent of a few lines: lists the tools of a Plinth branch and calls one. `node examples/triage/agent.mjs [tenant]`. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { existsSync, readFileSync } from "node:fs";

if (!existsSync(".plinth/host.json")) {
  console.error("No host runs from this folder; start one with `npm start`.");
  process.exit(1);
}
const { url, adminKey } = JSON.parse(readFileSync(".plinth/host.json", "utf8"));
const tenant = process.argv[2] ?? "default";
const headers = { authorization: `Bearer ${adminKey}`, "x-plinth-user": "ada" };
const client = new Client({ name: "triage-agent", version: "1" });
await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/t/${tenant}/mcp`), { requestInit: { headers } }));
const { tools } = await client.listTools();
console.log(
  `${tools.length} tools: ${tools
    .map(({ name }) => name)
    .join(", ")
    .slice(0, 300)} …`,
);
const { structuredContent, content } = await client.callTool({
  name: "suggest_priority",
  arguments: { text: "The site is down and I lost my order" },
});
console.log(structuredContent ?? content);
await client.close();
