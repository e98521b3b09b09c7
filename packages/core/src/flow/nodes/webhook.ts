/** Sends an HTTP request. */
import { defineNode } from "../node-type.ts";
import type { Template } from "../template.ts";
import { recordValue } from "../value.ts";
import { formField } from "./form-fields.ts";
import { LATER_FIELD, resolveLater, readLater } from "./later.ts";

const METHODS = ["get", "post", "put", "patch", "delete", "head"] as const;

export const webhook = defineNode({
  type: "webhook",
  aliases: ["http"],
  title: "Webhook",
  description: "Sends an HTTP request and hands on the response.",
  category: "call",
  fields: [
    formField("url", "text", "Address, with its scheme.", { required: true, editor: "expression" }),
    formField("method", "enum", "POST when absent.", { choices: METHODS }),
    formField("headers", "struct", "Headers by name.", { editor: "expression" }),
    formField("query", "struct", "Query parameters by name.", { editor: "expression" }),
    formField("body", "struct", "JSON, or a text that is sent as it is.", { editor: "expression" }),
    formField(
      "connection",
      "text",
      "Name of the keyring whose secret is sent: for `{secret}` in headers and query, or else as a bearer token. `url` has to begin with its host.",
    ),
    formField("statuses", "enum", "`any` hands on each response; one with a status of 400 or more fails the step when absent.", {
      choices: ["success", "any"],
    }),
    LATER_FIELD,
  ],
  read: (reader) => {
    const connection = reader.optionalText("connection");
    if (connection !== null && reader.catalogue !== null && !reader.catalogue.hasConnection(connection)) {
      reader.error("connection", `names \`${connection}\`, which is no connection here; connect it first, or choose another.`);
    }
    const url = reader.template("url", "string");
    if (connection !== null && !beginsWithHost(url)) {
      reader.error(
        "url",
        "may lead anywhere, and the secret of `connection` with it; write the address, or an expression that begins with it, such as `='https://api.example/items/' + trigger.id`.",
      );
    }
    const method: Template = { kind: "literal", value: { json: reader.choice("method", METHODS, "post").toUpperCase() } };
    return {
      connection,
      later: readLater(reader, null),
      anyStatus: reader.choice("statuses", ["success", "any"], "success") === "any",
      request: {
        method,
        url,
        headers: reader.inputs("headers"),
        query: reader.inputs("query"),
        body: reader.optionalTemplate("body") ?? { kind: "literal" as const, value: { json: null } },
      },
    };
  },
  output: ({ later }) => (later === null ? { record: { status: "number", headers: "any", body: "any" } } : "any"),
  resolve: ({ request, later }, resolver) => ({
    input: recordValue(Object.fromEntries(Object.entries(request).map(([name, template]) => [name, resolver.value(template)]))),
    ...resolveLater(later, resolver),
  }),
  execute: (inputs, { connection, anyStatus }) => ({
    kind: "call",
    call: { kind: "http", connection, ...(anyStatus ? { anyStatus } : {}), ...inputs },
  }),
});

/** A text of an expression that has a scheme, a host and the beginning of a path, and to which something is added. */
const HOST_FIRST = /^\s*(['"])https?:\/\/[^\s/?#'"\\]+\/[^'"\\]*\1\s*\+/;

/** What values say may choose a path, and no host. */
function beginsWithHost(url: Template): boolean {
  return url.kind === "literal" || (url.kind === "expression" && HOST_FIRST.test(url.source.text));
}
