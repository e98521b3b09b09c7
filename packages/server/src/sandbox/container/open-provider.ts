/** The provider of the cells of packages, by configuration. */
import { existsSync } from "node:fs";
import { plinthError } from "@plinth/core/errors.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { SandboxProvider } from "../provider.ts";
import { ContainerProvider } from "./container-provider.ts";

/** Where engines listen when nobody says otherwise. */
const USUAL_SOCKETS = ["/var/run/docker.sock", "/run/podman/podman.sock"];

/** Undefined for process jails. Fails with BadConfiguration when the engine cannot be used. */
export async function openPackageProvider(options: {
  readonly kind: "process" | "container";
  readonly engine: string | null;
  readonly ociRuntime: string | null;
  readonly dataDir: string;
  readonly runtime: Runtime;
}): Promise<SandboxProvider | undefined> {
  if (options.kind === "process") return undefined;
  return ContainerProvider.open({
    runtime: options.runtime,
    engine: options.engine ?? usualEngine(),
    dataDir: options.dataDir,
    ...(options.ociRuntime === null ? {} : { ociRuntime: options.ociRuntime }),
  });
}

function usualEngine(): string {
  const ofUser = `/run/user/${process.getuid?.() ?? 0}/podman/podman.sock`;
  const socket = [...USUAL_SOCKETS, ofUser].find((path) => existsSync(path));
  if (socket === undefined)
    throw plinthError("BadConfiguration", {
      detail: `there is no container engine at ${[...USUAL_SOCKETS, ofUser].join(", ")}; start Docker or podman's service, or name one with --container-engine`,
    });
  return `unix://${socket}`;
}
