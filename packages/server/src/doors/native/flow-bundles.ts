/** Packages for the code of flows: `plinth flow publish` finds and sends them, flows refer to them by their digest. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { FlowBundle } from "../../flows/bundles/flow-bundles.ts";
import { jsonReply, type Reply } from "../door.ts";
import { type DocumentedRoute, json } from "../openapi/route-doc.ts";
import { choice, closed, list, named, text, type Schema } from "../openapi/schema.ts";
import { archiveOf } from "./archive-body.ts";

const ARCHIVE = text("The archive.", { contentEncoding: "binary" });

const BUNDLE = named(
  "FlowBundle",
  closed({
    digest: text("sha-256 of the archive, in hexadecimal: its name in the lock of a flow."),
    language: choice(["javascript", "python"]),
    dependencies: list(text("As nodes name it.")),
    packages: list(text("A package in it, with its version.")),
    modules: list(text("Python: a module that code may import.")),
  } satisfies Record<Exclude<keyof FlowBundle, "format">, Schema>),
);

/** Body: the archive. */
export const uploadFlowBundle: DocumentedRoute = {
  method: "POST",
  path: "/v1/flow-bundles",
  access: ["deploy"],
  bodyBytesMax: limit("flowBundleBytesMax"),
  streamsBody: true,
  doc: {
    summary: "Send the packages that the code of flows names",
    description: "The archive is tried in a jail. Nothing is installed or resolved by the host.",
    tag: "Flows",
    body: { required: true, content: { "application/zstd": ARCHIVE, "application/gzip": ARCHIVE, "application/x-tar": ARCHIVE } },
    answers: { 200: json(BUNDLE) },
    errors: ["InvalidBundle", "Cancelled", "LimitExceeded"],
  },
  handle: async ({ flows }, request): Promise<Reply> => {
    const { scope, actor } = request.caller;
    return jsonReply(shown(await flows.bundles.upload(scope, { archive: archiveOf(request), actor })));
  },
};

export const getFlowBundle: DocumentedRoute = {
  method: "GET",
  path: "/v1/flow-bundles/:digest",
  access: ["deploy"],
  doc: { summary: "Say what is in a bundle of packages", tag: "Flows", answers: { 200: json(BUNDLE) } },
  handle: async ({ flows }, { caller, params }): Promise<Reply> => {
    const digest = params["digest"] ?? "";
    const bundle = await flows.bundles.get(caller.scope, digest);
    if (bundle === undefined) throw plinthError("NotFound", { what: `bundle '${digest.slice(0, 64)}'` });
    return jsonReply(shown(bundle));
  },
};

function shown({ digest, language, dependencies, packages, modules }: FlowBundle) {
  return { digest, language, dependencies, packages, modules };
}
