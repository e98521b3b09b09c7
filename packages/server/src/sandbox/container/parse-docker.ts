/** Reads what the engine answers: only the fields that are used, and none is taken on trust. */

export interface EngineVersion {
  /** `podman` where the engine says so, else `docker`. */
  readonly kind: "docker" | "podman";
  readonly version: string;
}

export interface EngineInfo {
  readonly runtimes: readonly string[];
  readonly defaultRuntime: string;
  readonly kernel: string;
  readonly processors: number;
}

export interface ContainerState {
  readonly status: string;
  readonly running: boolean;
  /** Number of the process on the engine's machine; 0 when it does not run. */
  readonly pid: number;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly memoryBytesMax: number;
}

export interface ImageTag {
  /** `repository:tag` */
  readonly name: string;
  readonly createdMs: number;
}

type Fields = Readonly<Record<string, unknown>>;

export function parseEngineVersion(answer: unknown): EngineVersion {
  const fields = fieldsOf(answer);
  const components = listOf(fields["Components"]).map((each) => textOf(fieldsOf(each)["Name"]));
  return { kind: components.some((name) => /podman/i.test(name)) ? "podman" : "docker", version: textOf(fields["Version"]) };
}

export function parseEngineInfo(answer: unknown): EngineInfo {
  const fields = fieldsOf(answer);
  return {
    runtimes: Object.keys(fieldsOf(fields["Runtimes"])),
    defaultRuntime: textOf(fields["DefaultRuntime"]),
    kernel: textOf(fields["KernelVersion"]),
    processors: Math.max(1, numberOf(fields["NCPU"])),
  };
}

export function parseContainerState(answer: unknown): ContainerState {
  const fields = fieldsOf(answer);
  const state = fieldsOf(fields["State"]);
  return {
    status: textOf(state["Status"]),
    running: state["Running"] === true,
    pid: numberOf(state["Pid"]),
    exitCode: numberOf(state["ExitCode"]),
    oomKilled: state["OOMKilled"] === true,
    memoryBytesMax: numberOf(fieldsOf(fields["HostConfig"])["Memory"]),
  };
}

/** Containers by name, with their labels. */
export function parseContainerNames(
  answer: unknown,
): readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[] {
  return listOf(answer).flatMap((each) => {
    const fields = fieldsOf(each);
    const name = textOf(listOf(fields["Names"])[0]).replace(/^\//, "");
    const labels = Object.entries(fieldsOf(fields["Labels"])).map(([key, value]) => [key, textOf(value)] as const);
    return /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name) ? [{ name, labels: Object.fromEntries(labels) }] : [];
  });
}

export function parseImageTags(answer: unknown): readonly ImageTag[] {
  return listOf(answer).flatMap((each) => {
    const fields = fieldsOf(each);
    return listOf(fields["RepoTags"]).map((tag) => ({ name: textOf(tag), createdMs: numberOf(fields["Created"]) * 1000 }));
  });
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value)) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
