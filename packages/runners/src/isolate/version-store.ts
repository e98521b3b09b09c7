/** The versions that the host loaded into this runner, and their source maps. */
import { StackMapper } from "./stack-mapper.ts";

const MAPPERS_MAX = 2;
const MAP_WAIT_MS = 500;

export interface LoadedVersion {
  readonly digest: string;
  readonly script: string;
}

type MapState =
  | { readonly kind: "asked"; readonly waiting: ((mapper: StackMapper | null) => void)[] }
  | { readonly kind: "known"; readonly mapper: StackMapper | null };

export class VersionStore {
  readonly #versions = new Map<string, LoadedVersion>();
  readonly #maps = new Map<string, MapState>();
  readonly #askForMap: (digest: string) => void;

  constructor(askForMap: (digest: string) => void) {
    this.#askForMap = askForMap;
  }

  add(version: LoadedVersion): void {
    this.#versions.set(version.digest, version);
  }

  remove(digest: string): void {
    this.#versions.delete(digest);
    this.#maps.delete(digest);
  }

  get(digest: string): LoadedVersion | undefined {
    return this.#versions.get(digest);
  }

  /** The mapper of a version's stacks; null when there is no map. Asks the host at the first use. */
  mapper(digest: string): Promise<StackMapper | null> {
    const state = this.#maps.get(digest);
    if (state?.kind === "known") return Promise.resolve(state.mapper);
    return new Promise((resolve) => {
      if (state !== undefined) {
        state.waiting.push(resolve);
        return;
      }
      this.#maps.set(digest, { kind: "asked", waiting: [resolve] });
      this.#askForMap(digest);
      // A failure is reported without a map rather than late.
      setTimeout(() => this.#settle(digest, null), MAP_WAIT_MS).unref();
    });
  }

  /** The host's answer; an empty text means that there is no map. */
  setSourceMap(digest: string, text: string): void {
    this.#settle(digest, text === "" ? null : StackMapper.parse(text));
  }

  #settle(digest: string, mapper: StackMapper | null): void {
    const state = this.#maps.get(digest);
    if (state?.kind !== "asked") {
      if (mapper !== null && this.#versions.has(digest)) this.#maps.set(digest, { kind: "known", mapper });
      return;
    }
    this.#maps.set(digest, { kind: "known", mapper });
    this.#dropOldMappers();
    for (const resolve of state.waiting) resolve(mapper);
  }

  /** A parsed map is several times larger than its text. */
  #dropOldMappers(): void {
    const known = [...this.#maps].filter(([, state]) => state.kind === "known" && state.mapper !== null);
    for (const [digest] of known.slice(0, Math.max(0, known.length - MAPPERS_MAX))) this.#maps.delete(digest);
  }
}
