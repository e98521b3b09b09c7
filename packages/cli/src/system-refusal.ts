/** What the operating system refuses for reasons outside of Plinth: rights, space, a file where a folder should be. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "this user may not do that",
  EPERM: "this user may not do that",
  EROFS: "the file system is read-only",
  ENOSPC: "no space is left",
  EDQUOT: "the quota is used up",
  EMFILE: "too many files are open",
  ENOTDIR: "a part of the path is a file",
  EISDIR: "it is a folder",
};

/** One sentence for such an error; undefined for all others. */
export function systemRefusal(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, path } = error as { readonly code?: unknown; readonly path?: unknown };
  const reason = typeof code === "string" && Object.hasOwn(REASONS, code) ? REASONS[code] : undefined;
  if (reason === undefined) return undefined;
  const where = typeof path === "string" ? path : "A file or folder";
  return `${where} cannot be used: ${reason} (${String(code)}).`;
}
