/** What one benchmark reports. Times in the unit named; `raw` is what the machine itself can do, measured in the same run. */
export interface Figure {
  readonly name: string;
  readonly unit: "ms" | "MiB" | "µs" | "bytes";
  readonly p50: number;
  readonly p99: number;
  readonly perSecond?: number;
  readonly raw: { readonly what: string; readonly p50?: number; readonly perSecond?: number; readonly value?: number };
  /** Own figure to raw figure, in the direction in which 1 is perfect and less is worse. */
  readonly ratio: number;
  readonly details?: Readonly<Record<string, number | string>>;
}

export type Bench = () => Promise<Figure>;

/** Runs `measure` several times and returns the run whose `key` is the median, so that one disturbance does not decide. */
export async function medianRun<T>(runs: number, measure: () => Promise<T>, key: (result: T) => number): Promise<T> {
  const results: T[] = [];
  for (let i = 0; i < runs; i += 1) results.push(await measure());
  results.sort((a, b) => key(a) - key(b));
  const median = results[Math.floor(results.length / 2)];
  if (median === undefined) throw new Error("no runs");
  return median;
}

export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
