/**
 * Which branch a request names, and whether it may.
 *
 * N1 A branch other than `main` needs its key. Whatever is wrong with name or key has the same answer.
 * N2 Where the query belongs to user code, `?branch=` counts only beside a key, and the header goes before it: an
 *    application's own parameter of that name keeps working.
 * N3 Answers of another branch are stored by no cache on the way: its address is the one of `main`.
 */
import type { IncomingHttpHeaders } from "node:http";
import { plinthError } from "@plinth/core/errors.ts";
import { BRANCH_NAME, MAIN_BRANCH, type Branches } from "../branches/branches.ts";

export const BRANCH_HEADER = "x-plinth-branch";
export const BRANCH_KEY_HEADER = "x-plinth-branch-key";

/** N3: headers of answers of a branch; they go before those of user code. */
export function branchHeaders(branch: string): Readonly<Record<string, string>> {
  return branch === MAIN_BRANCH ? {} : { "cache-control": "no-store" };
}

/** What a request says about its branch; the URL is the one that was sent. */
export interface BranchWords {
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
}

/** The branch of a request to the API. */
export async function requestBranch(branches: Branches, tenant: string, { headers, url }: BranchWords): Promise<string> {
  const branch = namedBranch({ headers, url });
  return branch === undefined ? MAIN_BRANCH : await opened(branches, { tenant, headers, branch });
}

/** The branch that a request to the API names, whether or not it may. */
export function namedBranch({ headers, url }: BranchWords): string | undefined {
  // The common case.
  if (headers[BRANCH_HEADER] === undefined && !url.includes("?")) return undefined;
  const named = new Set([...textsOf(headers[BRANCH_HEADER]), ...queryBranches(url)]);
  if (named.size > 1)
    throw plinthError("BadRequest", { detail: "The request names several branches; name one, in `?branch=` or in `X-Plinth-Branch`." });
  return [...named][0];
}

/** N2: the branch of a request to an HTTP action. */
export async function actionBranch(branches: Branches, tenant: string, { headers, url }: BranchWords): Promise<string> {
  const [header] = textsOf(headers[BRANCH_HEADER]);
  const [query] = headers[BRANCH_KEY_HEADER] === undefined ? [] : queryBranches(url);
  return await opened(branches, { tenant, headers, branch: header ?? query });
}

/** N1 */
async function opened(
  branches: Branches,
  named: { readonly tenant: string; readonly headers: IncomingHttpHeaders; readonly branch: string | undefined },
): Promise<string> {
  const { tenant, branch = MAIN_BRANCH } = named;
  if (branch === MAIN_BRANCH) return branch;
  const [key] = textsOf(named.headers[BRANCH_KEY_HEADER]);
  if (!BRANCH_NAME.test(branch) || !(await branches.opens({ tenant, branch }, key))) throw plinthError("BranchAccessDenied", {});
  return branch;
}

function queryBranches(url: string): readonly string[] {
  const start = url.indexOf("?");
  return start === -1 ? [] : new URLSearchParams(url.slice(start + 1)).getAll("branch");
}

function textsOf(header: string | readonly string[] | undefined): readonly string[] {
  return header === undefined ? [] : typeof header === "string" ? [header] : header;
}
