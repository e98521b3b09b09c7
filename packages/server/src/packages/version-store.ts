/** Versions of packages in the store: their rows, and the blobs that hold what is large of them. */
import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import { must } from "@plinth/core/assert.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Manifest } from "@plinth/core/manifest/manifest.ts";
import type { Blobs } from "../blobs/blobs.ts";
import { parseManifestBlob, type ManifestBlob } from "./manifest-blob.ts";
import type { PackageVersionRow } from "./package-records.ts";
import type { VersionContents } from "./package-diff.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** A version with its manifest. */
export interface LoadedVersion {
  readonly row: PackageVersionRow;
  readonly manifest: Manifest;
}

export class VersionStore {
  readonly #blobs: Blobs;
  /** Versions never change, so what was read once is right for ever; the least recently used go first. */
  readonly #loaded = new Map<string, Promise<ManifestBlob>>();

  constructor(blobs: Blobs) {
    this.#blobs = blobs;
  }

  async putManifest(tenant: string, blob: ManifestBlob): Promise<string> {
    return await this.put(tenant, await compress(Buffer.from(JSON.stringify(blob), "utf8")));
  }

  async put(tenant: string, bytes: Uint8Array): Promise<string> {
    const source = (async function* () {
      yield bytes;
    })();
    return (await this.#blobs.put(tenant, source, { bytesMax: limit("versionBlobBytesMax") })).digest;
  }

  async load(tenant: string, row: PackageVersionRow): Promise<LoadedVersion> {
    return { row, manifest: (await this.#manifest(tenant, row.manifestBlob)).manifest };
  }

  async contents(tenant: string, row: PackageVersionRow): Promise<VersionContents> {
    const [{ text }, fileList] = await Promise.all([this.#manifest(tenant, row.manifestBlob), this.#read(tenant, row.filesBlob)]);
    return { digest: row.digest, functions: row.functions, manifestText: text, fileList };
  }

  #manifest(tenant: string, digest: string): Promise<ManifestBlob> {
    const key = `${tenant}/${digest}`;
    const known = this.#loaded.get(key);
    this.#loaded.delete(key);
    const loading = known ?? this.#read(tenant, digest).then(parseManifestBlob);
    this.#loaded.set(key, loading);
    if (known === undefined) {
      loading.catch(() => this.#loaded.delete(key));
      for (const oldest of this.#loaded.keys()) {
        if (this.#loaded.size <= limit("cachedManifestsMax")) break;
        this.#loaded.delete(oldest);
      }
    }
    return loading;
  }

  async #read(tenant: string, digest: string): Promise<string> {
    const bytes = must(await this.#blobs.read(tenant, digest), `the blob ${digest.slice(0, 16)} of a stored version is there`);
    return (await decompress(bytes)).toString("utf8");
  }
}
