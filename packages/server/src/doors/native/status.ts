/** How the host is: `/healthz` for probes, `/metrics` for Prometheus. */
import { plinthError } from "@plinth/core/errors.ts";
import { authenticate } from "../authenticate.ts";
import { jsonReply, type Reply } from "../door.ts";
import { json, type DocumentedRoute } from "../openapi/route-doc.ts";
import { always, closed, number, text, whole } from "../openapi/schema.ts";

export const health: DocumentedRoute = {
  method: "GET",
  path: "/healthz",
  access: "open",
  branchless: true,
  doc: {
    summary: "How the host is",
    tag: "Host",
    answers: {
      200: json(
        closed({
          status: always("ok"),
          tier: whole("Isolation tier of the host."),
          packages: closed({ provider: text("Where packages run."), tier: whole() }),
          version: text(),
          uptimeMs: number(),
          runners: closed({ all: whole(), warm: whole(), busy: whole(), memoryBytes: number() }),
        }),
      ),
    },
  },
  handle: (context): Promise<Reply> => {
    const { runners, warm, busy, memoryBytes } = context.sandbox.status();
    return Promise.resolve(
      jsonReply({
        status: "ok",
        tier: context.tier,
        packages: { provider: context.packageCells?.provider ?? "process", tier: context.packageCells?.tier ?? context.tier },
        version: "0.1.0",
        uptimeMs: Math.round(context.runtime.nowMs() - context.startedMs),
        runners: { all: runners, warm, busy, memoryBytes },
      }),
    );
  },
};

/**
 * Names functions of all tenants, so it asks for the operator's key wherever the request comes from: behind a proxy
 * every caller has the loopback address. `metricsOpen` lifts that for closed networks.
 */
export const metrics: DocumentedRoute = {
  method: "GET",
  path: "/metrics",
  access: "open",
  branchless: true,
  doc: {
    summary: "Metrics for Prometheus",
    description: "Asks for no key where the host has `metricsOpen`.",
    tag: "Host",
    access: "operator",
    answers: { 200: { description: "Text for Prometheus.", content: { "text/plain": text() } } },
  },
  handle: async (context, { headers }): Promise<Reply> => {
    if (!context.config.metricsOpen) {
      if (headers.authorization === undefined) throw plinthError("Unauthenticated", {});
      await authenticate(context, { headers, url: "", pathTenant: undefined, access: "operator", branched: false });
    }
    return { kind: "text", status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", body: await context.metricsText() };
  },
};
