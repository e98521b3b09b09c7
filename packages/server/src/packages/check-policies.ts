/** Policies of a manifest's webhooks, checked in a jail. Their errors carry the line of the manifest. */
import { limit } from "@plinth/core/limits.ts";
import type { EventSourceSpec, Manifest, ManifestFinding } from "@plinth/core/manifest/manifest.ts";
import { Report } from "@plinth/core/manifest/report.ts";
import type { JailTools } from "../sandbox/tools.ts";

/** `lines` as for `parseManifest`. */
export async function checkPolicies(
  tools: JailTools,
  tenant: string,
  { manifest, lines }: { readonly manifest: Manifest; readonly lines: unknown },
): Promise<readonly ManifestFinding[]> {
  const report = new Report(lines);
  for (const [path, source] of webhooksOf(manifest, lines)) {
    const policy = source.config["policy"];
    if (typeof policy !== "string") continue;
    for (const { line, message } of parseFindings(await tools.run(tenant, "rego", { policy }))) {
      // Policies stand in blocks of lines, of which the first is the one below the name.
      report.errorAtLine(report.lineOf(path) + (policy.includes("\n") ? line : 0), `line ${line} of the policy: ${message}.`, path);
    }
  }
  return report.findings;
}

function webhooksOf(manifest: Manifest, lines: unknown): readonly (readonly [string, EventSourceSpec])[] {
  const has = (path: string) => typeof lines === "object" && lines !== null && Object.hasOwn(lines, `${path}.name`);
  const older = manifest.eventSources.organization.findIndex((_, i) => !has(`event-sources[${i}]`));
  const flat = older === -1 ? manifest.eventSources.organization.length : older;
  const all = (["organization", "user"] as const).flatMap((scope) =>
    manifest.eventSources[scope].map((source, i) => {
      const place =
        scope === "organization" && i < flat ? `event-sources[${i}]` : `event_sources.${scope}[${scope === "user" ? i : i - flat}]`;
      return [`${place}.config.policy`, source] as const;
    }),
  );
  return all.filter(([, { type }]) => type === "flow-custom-webhook");
}

/** Hostile, as all that comes out of a jail. */
export function parseFindings(result: unknown): readonly { readonly line: number; readonly message: string }[] {
  if (typeof result !== "object" || result === null || !("findings" in result) || !Array.isArray(result.findings))
    return [{ line: 1, message: "it cannot be checked" }];
  return result.findings.slice(0, limit("manifestFindingsMax")).map((finding: unknown) => {
    const { line, message } =
      typeof finding === "object" && finding !== null ? { line: 1, message: "", ...finding } : { line: 1, message: "" };
    return {
      line: typeof line === "number" && Number.isSafeInteger(line) && line > 0 ? line : 1,
      message: typeof message === "string" && message !== "" ? message : "it cannot be checked",
    };
  });
}
