/** Gathers what the jails of a host share: tools, image, filter, users, control groups. */
import { availableParallelism } from "node:os";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { plinthError } from "@plinth/core/errors.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { findCgroups } from "./cgroup.ts";
import { findTools } from "./doctor.ts";
import { prepareRuntimeImage, type RunnerProgram } from "./image.ts";
import type { JailKit } from "./jail.ts";
import { PROBE_FILE, PROBE_SCRIPT } from "./probe-script.ts";
import { compileSeccompFilter, type JailProfile } from "./seccomp.ts";
import { UserSlots } from "./slots.ts";

/** Of the process, not of a sandbox: two sandboxes in one process must not give out the same users. */
const userSlots = new UserSlots(process.pid);

export async function prepareJailKit(options: {
  readonly runtime: Runtime;
  readonly program: RunnerProgram;
  readonly imageFolder?: string;
  readonly profile?: JailProfile;
  readonly unsafe?: boolean;
}): Promise<JailKit> {
  const unsafe = options.unsafe ?? false;
  const tools = unsafe ? { bwrap: "", prlimit: "" } : findTools();
  const architecture = process.arch === "x64" ? "x86_64" : process.arch === "arm64" ? "aarch64" : undefined;
  if (architecture === undefined && !unsafe)
    throw plinthError("JailMissing", {
      detail: `there is no system call filter for ${process.arch}`,
      next: "Use a machine with an x64 or arm64 processor",
    });
  const image = await prepareRuntimeImage({
    program: withProbe(options.program),
    nowMs: options.runtime.nowMs(),
    ...(options.imageFolder === undefined ? {} : { baseFolder: options.imageFolder }),
  });
  const isRoot = process.getuid?.() === 0;
  const suffix = Buffer.from(options.runtime.randomBytes(4)).toString("hex");
  const cgroups = unsafe
    ? undefined
    : findCgroups({ runtime: options.runtime, name: `host-${process.pid}-${suffix}`, processors: availableParallelism() });
  return {
    runtime: options.runtime,
    tools,
    image,
    filter: compileSeccompFilter(architecture ?? "x86_64", options.profile ?? "jit"),
    unsafe,
    ...(isRoot && !unsafe ? { slots: userSlots } : {}),
    ...(cgroups === undefined ? {} : { cgroups }),
  };
}

/** The image holds the probe's script too, so that the probe runs in the very jail of the runners. */
function withProbe(program: RunnerProgram): RunnerProgram {
  return {
    key: async () => `${await program.key()} ${PROBE_SCRIPT}`,
    build: async (folder) => {
      await program.build(folder);
      await writeFile(join(folder, PROBE_FILE), PROBE_SCRIPT, { mode: 0o644 });
    },
  };
}
