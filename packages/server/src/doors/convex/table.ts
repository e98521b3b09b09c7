/** The routes that unmodified Convex clients use. */
import type { Route } from "../door.ts";
import { instanceName, instanceVersion, version } from "./about.ts";
import { queryBatch } from "./batch.ts";
import { action, anyFunction, mutation, query, queryByGet, run } from "./functions.ts";
import { queryAtTs, queryTs } from "./moments.ts";

export const CONVEX_ROUTES = {
  query,
  queryByGet,
  mutation,
  action,
  anyFunction,
  run,
  queryBatch,
  queryTs,
  queryAtTs,
  version,
  instanceName,
  instanceVersion,
} as const satisfies Record<string, Route>;
