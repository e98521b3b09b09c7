/** Gathers what the jails of a host share: tools, filters, users, control groups. */
import { availableParallelism } from "node:os";
import { plinthError } from "@plinth/core/errors.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { findCgroups } from "./cgroup.ts";
import { findTools } from "./doctor.ts";
import type { JailKit } from "./jail.ts";
import { compileSeccompFilter, type FilterKind } from "./seccomp.ts";
import { UserSlots } from "./slots.ts";
import type { Architecture } from "./syscalls.ts";

/** Of the process, not of a sandbox: two sandboxes in one process must not give out the same users. */
const userSlots = new UserSlots(process.pid);

/** Fails with JailMissing, which says what to install. */
export function prepareJailKit(options: { readonly runtime: Runtime; readonly unsafe?: boolean }): JailKit {
  const unsafe = options.unsafe ?? false;
  const tools = unsafe ? { bwrap: "", prlimit: "" } : findTools();
  const architecture = process.arch === "x64" ? "x86_64" : process.arch === "arm64" ? "aarch64" : undefined;
  if (architecture === undefined && !unsafe)
    throw plinthError("JailMissing", {
      detail: `there is no system call filter for ${process.arch}`,
      next: "Use a machine with an x64 or arm64 processor",
    });
  const isRoot = process.getuid?.() === 0;
  const suffix = Buffer.from(options.runtime.randomBytes(4)).toString("hex");
  const cgroups = unsafe
    ? undefined
    : findCgroups({ runtime: options.runtime, name: `host-${process.pid}-${suffix}`, processors: availableParallelism() });
  return {
    runtime: options.runtime,
    tools,
    filter: filtersOf(architecture ?? "x86_64"),
    unsafe,
    ...(isRoot && !unsafe ? { slots: userSlots } : {}),
    ...(cgroups === undefined ? {} : { cgroups }),
  };
}

/** Filters are compiled when the first jail needs them. */
function filtersOf(architecture: Architecture): (kind: FilterKind) => Uint8Array {
  const compiled = new Map<string, Uint8Array>();
  return ({ profile, scratch }) => {
    const key = `${profile} ${scratch}`;
    const filter = compiled.get(key) ?? compileSeccompFilter(architecture, profile, scratch);
    compiled.set(key, filter);
    return filter;
  };
}
