/** The provider of process jails: a cell is a jailed process of this machine (`jail.ts`). */
import type { RuntimeName } from "@plinth/core/protocol/runner-protocol.ts";
import type { Cell, CellSpec, SandboxProvider } from "../provider.ts";
import { Jail, type JailKit } from "./jail.ts";
import { TenantWeights } from "./tenant-weights.ts";

const RUNTIMES: ReadonlySet<RuntimeName> = new Set<RuntimeName>(["isolate", "node", "python", "wasm"]);
export class ProcessProvider implements SandboxProvider {
  readonly name = "process";
  readonly runtimes = RUNTIMES;
  readonly kit: JailKit;
  readonly #cells = new Set<Jail>();
  readonly #weights = new TenantWeights();

  constructor(kit: JailKit) {
    this.kit = kit;
  }

  get countsMemory(): boolean {
    return this.kit.cgroups !== undefined;
  }

  start(spec: CellSpec): Cell {
    const jail = new Jail(this.kit, spec, this.#weights);
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
