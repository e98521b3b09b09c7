/** What is written beside the files of a version once they are complete. */
export interface Stamp {
  /** Start of the machine in which the folder was made: until the next one, all of its bytes are there. */
  readonly bootId: string;
  readonly files: number;
  readonly bytes: number;
}

/** undefined for what is no stamp. */
export function parseStamp(text: string): Stamp | undefined {
  try {
    const { bootId, files, bytes } = JSON.parse(text) as Partial<Stamp>;
    if (typeof bootId !== "string" || !Number.isSafeInteger(files) || !Number.isSafeInteger(bytes)) return undefined;
    return { bootId, files: Number(files), bytes: Number(bytes) };
  } catch {
    return undefined;
  }
}
