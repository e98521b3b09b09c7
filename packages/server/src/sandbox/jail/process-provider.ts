/** The provider of process jails: a cell is a jailed process of this machine (`jail.ts`). */
import type { RuntimeName } from "@plinth/core/protocol/runner-protocol.ts";
import type { Cell, CellSpec, SandboxProvider } from "../provider.ts";
import { Jail, type JailKit } from "./jail.ts";

const RUNTIMES: ReadonlySet<RuntimeName> = new Set<RuntimeName>(["isolate", "node", "python", "wasm"]);
/** Code of packages lies where a jail would put it, so without one only the isolate runs. */
const RUNTIMES_UNSAFE: ReadonlySet<RuntimeName> = new Set<RuntimeName>(["isolate"]);

export class ProcessProvider implements SandboxProvider {
  readonly name = "process";
  readonly runtimes: ReadonlySet<RuntimeName>;
  readonly kit: JailKit;
  readonly #cells = new Set<Jail>();

  constructor(kit: JailKit) {
    this.kit = kit;
    this.runtimes = kit.unsafe ? RUNTIMES_UNSAFE : RUNTIMES;
  }

  get countsMemory(): boolean {
    return this.kit.cgroups !== undefined;
  }

  start(spec: CellSpec): Cell {
    const jail = new Jail(this.kit, spec);
    this.#cells.add(jail);
    void jail.exited.then(() => this.#cells.delete(jail));
    return jail;
  }

  async close(): Promise<void> {
    const cells = [...this.#cells];
    for (const cell of cells) cell.kill();
    await Promise.all(cells.map((cell) => cell.exited));
    await this.kit.cgroups?.close();
  }
}
