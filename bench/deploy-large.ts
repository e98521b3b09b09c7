import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Connection } from "../packages/cli/src/connection.ts";
import { filesOf } from "../packages/cli/src/package/pack-files.ts";
import { pack, type Packed } from "../packages/cli/src/package/pack.ts";
import { pushPackage } from "../packages/cli/src/package/push-package.ts";
import { medianRun, rounded, type Bench } from "./bench.ts";
import { startBenchHost } from "./host.ts";
import { touchLargePackage, writeLargePackage } from "./large-package.ts";
import { percentile } from "./load.ts";

const ROUNDS = 5;
const MIB = 1024 * 1024;

/**
 * A package with 50 MB of dependencies, installed already, until it serves: packed, sent, unpacked, analysed, warmed. Raw is what
 * any deploy has to do with these files: tar and zstd into a file, the file copied, and unpacked again.
 */
export const deployLarge: Bench = async () => {
  const work = mkdtempSync(join(tmpdir(), "plinth-deploy-large-"));
  const source = join(work, "source");
  writeLargePackage(source);
  const host = await startBenchHost();
  try {
    const rounds: Round[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      touchLargePackage(source, round);
      rounds.push(await deployOnce(host.connection, source, join(work, "large.tar.zst")));
    }
    const totals = rounds.map(({ totalMs }) => totalMs).toSorted((a, b) => a - b);
    const rawMs = await medianRun(
      3,
      () => rawOnce(source, work),
      (ms) => ms,
    );
    const [first] = rounds;
    return {
      name: "deploy-large",
      unit: "ms",
      p50: rounded(percentile(totals, 0.5)),
      p99: rounded(percentile(totals, 0.99)),
      raw: { what: "tar + zstd, copy, unpack", p50: rounded(rawMs) },
      ratio: rounded(rawMs / percentile(totals, 0.5)),
      details: {
        files: first?.packed.files ?? 0,
        MiB: rounded((first?.packed.bytes ?? 0) / MIB),
        "packed, MiB": rounded((first?.packed.archiveBytes ?? 0) / MIB),
        ...mediansOf(rounds.map(({ stages }) => stages)),
      },
    };
  } finally {
    await host.stop();
    rmSync(work, { recursive: true, force: true });
  }
};

interface Round {
  readonly totalMs: number;
  readonly packed: Packed;
  /** Milliseconds by stage, those that the host reports among them. */
  readonly stages: Readonly<Record<string, number>>;
}

async function deployOnce(connection: Connection, source: string, archive: string): Promise<Round> {
  const startedMs = performance.now();
  const manifest = { path: "manifest.yaml", file: join(source, "manifest.yaml"), bytes: statSync(join(source, "manifest.yaml")).size };
  const packed = await pack([manifest, ...(await filesOf(join(source, "code"), "code", { without: () => false }))], archive);
  const packMs = performance.now() - startedMs;
  const result = await pushPackage(connection, archive, { name: "large", update: () => {} });
  const totalMs = performance.now() - startedMs;
  const { timings = {} } = result as { readonly timings?: Readonly<Record<string, number>> };
  return { totalMs, packed, stages: { packMs, ...timings } };
}

function mediansOf(all: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const names = new Set(all.flatMap((each) => Object.keys(each)));
  return Object.fromEntries(
    [...names].map((name) => {
      const times = all.map((each) => each[name] ?? 0).toSorted((a, b) => a - b);
      return [`${name.replace(/Ms$/, "")} p50, ms`, rounded(percentile(times, 0.5))];
    }),
  );
}

async function rawOnce(source: string, work: string): Promise<number> {
  const [tar, archive, copy, unpacked] = ["raw.tar", "raw.tar.zst", "copy.tar.zst", "unpacked"].map((name) => join(work, name)) as [
    string,
    string,
    string,
    string,
  ];
  rmSync(unpacked, { recursive: true, force: true });
  mkdirSync(unpacked);
  const startedMs = performance.now();
  await runTar("-C", source, "-cf", tar, ".");
  await writeFile(archive, zstdCompressSync(await readFile(tar), { params: { [constants.ZSTD_c_compressionLevel]: 3 } }));
  await copyFile(archive, copy);
  await writeFile(tar, zstdDecompressSync(await readFile(copy)));
  await runTar("-C", unpacked, "-xf", tar);
  return performance.now() - startedMs;
}

async function runTar(...args: readonly string[]): Promise<void> {
  const [code] = (await once(spawn("tar", [...args], { stdio: ["ignore", "ignore", "inherit"] }), "close")) as [number | null];
  if (code !== 0) throw new Error(`tar ended with ${code}`);
}
