/**
 * Images of programs in the engine: made once for each program and shell, named `localhost/plinth-runner-<runtime>:<key>`, found
 * again by later hosts; of each runtime the newest few are kept.
 */
import { createHash } from "node:crypto";
import { realpath, stat } from "node:fs/promises";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { librariesOf } from "../jail/image.ts";
import type { ProgramImage } from "../runtimes/runtime-adapter.ts";
import { SHELL_IN_CELL } from "./container-spec.ts";
import type { DockerApi } from "./docker-api.ts";
import { imageArchive } from "./image-archive.ts";

const REPOSITORY = "localhost/plinth-runner-";
const FORMAT = "1";

export class ContainerImages {
  readonly #api: DockerApi;
  readonly #ready = new Map<string, Promise<string>>();

  constructor(api: DockerApi) {
    this.#api = api;
  }

  /** The name of the program's image, which the engine has. Rejects with NotAvailable when it cannot be made. */
  async ready(image: ProgramImage): Promise<string> {
    const making = this.#ready.get(image.key) ?? this.#make(image);
    this.#ready.set(image.key, making);
    try {
      return await making;
    } catch (error) {
      this.#ready.delete(image.key); // the next call tries again
      const reason = error instanceof Error ? error.message : String(error);
      throw plinthError(
        "NotAvailable",
        { what: `The ${image.runtime} runtime (the container engine did not take its image: ${reason})` },
        { cause: error },
      );
    }
  }

  /** The engine said that it has no such image any more. */
  forget(image: ProgramImage): void {
    this.#ready.delete(image.key);
  }

  async #make(image: ProgramImage): Promise<string> {
    const shell = await realpath(SHELL_IN_CELL);
    const mounts = [...image.mounts, { source: shell, target: SHELL_IN_CELL }, ...(await librariesOf(shell))];
    const repository = `${REPOSITORY}${image.runtime}`;
    const name = `${repository}:${await keyOf(image, shell)}`;
    const tags = await this.#api.imageTags(REPOSITORY);
    if (!tags.some((tag) => tag.name === name)) await this.#api.importImage(name, imageArchive(mounts));
    const others = tags.filter((tag) => tag.name.startsWith(`${repository}:`) && tag.name !== name);
    const old = others.toSorted((a, b) => b.createdMs - a.createdMs).slice(limit("containerImagesKept") - 1);
    // The engine refuses for those that run; another host that wants one again makes it again.
    for (const tag of old) await this.#api.removeImage(tag.name).catch(() => undefined);
    return name;
  }
}

async function keyOf(image: ProgramImage, shell: string): Promise<string> {
  const { size, mtimeMs } = await stat(shell);
  return createHash("sha256")
    .update(JSON.stringify([FORMAT, image.key, shell, size, mtimeMs]))
    .digest("hex");
}
