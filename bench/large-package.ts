/** A package with the dependencies that extractors bring: 50 MB in 8,000 files, the same bytes in each run, made here. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const FILES = 8000;
const BYTES = 50_000_000;
const FILES_PER_MODULE = 20;
/** How many of the dependencies the package's own code loads. */
const LOADED_MODULES = 40;
const WORDS =
  "request response value index options buffer result schema error handler event context parse stream length offset callback module".split(
    " ",
  );

const MANIFEST = `version: "2"
name: large
description: A package with many dependencies.
functions:
  - name: greet
    description: Says hello.
`;

/** Writes the package into an empty folder, as it is after its build: a manifest, and `code` with `node_modules`. */
export function writeLargePackage(folder: string): void {
  const random = randomNumbers(20_260_101);
  const sizes = sizesOf(random);
  const write = (path: string, text: string): void => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  for (const [i, size] of sizes.entries()) {
    const name = `dependency-${Math.floor(i / FILES_PER_MODULE)}`;
    const place = i % FILES_PER_MODULE;
    const path = place === 0 ? "index.js" : `${["lib", "lib/internal", "dist/types"][place % 3] ?? "lib"}/part-${place}.js`;
    write(`code/node_modules/${name}/${path}`, sourceText(random, size));
  }
  const loaded = Array.from({ length: LOADED_MODULES }, (_, i) => `require("dependency-${i * 7}");`);
  write("manifest.yaml", MANIFEST);
  write("code/package.json", '{"name":"large","version":"1.0.0","main":"dist/index.js"}\n');
  write("code/dist/index.js", `${loaded.join("\n")}\nexports.functionFactory = { greet: async () => "hello" };\n`);
  touchLargePackage(folder, 0);
}

/** Changes one file, so that the package is another version. */
export function touchLargePackage(folder: string, round: number): void {
  writeFileSync(join(folder, "code/dist/version.js"), `exports.round = ${round};\n`);
}

/** Many small files and a few large ones, as in a folder of dependencies. */
function sizesOf(random: () => number): readonly number[] {
  const weights = Array.from({ length: FILES }, () => Math.exp(1.6 * normal(random)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => Math.max(40, Math.round((weight / sum) * BYTES)));
}

/** JavaScript that can be loaded and compresses as code does. */
function sourceText(random: () => number, bytes: number): string {
  const word = (): string => WORDS[Math.floor(random() * WORDS.length)] ?? "value";
  const lines: string[] = ['"use strict";'];
  for (let length = 14, n = 0; length < bytes; n += 1) {
    const number = Math.floor(random() * 1e6);
    const line = `exports.${word()}${n} = function ${word()}(${word()}, more) { return more.${word()} + ${number} * more["${word()}_${number.toString(36)}"]; };`;
    lines.push(line);
    length += line.length + 1;
  }
  return `${lines.join("\n")}\n`;
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Numbers from 0 to 1 that are the same for the same seed (xorshift). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
