/** What a function may know about itself, its deployment, its request and its transaction. */
import { limit, type LimitName } from "@plinth/core/limits.ts";
import { plinthError } from "@plinth/core/errors.ts";
import type { TransactionMetrics } from "../../database/database.ts";
import { EVERYWHERE, TRANSACTIONS, type HostCall } from "./host-call.ts";

export const getFunctionMetadata: HostCall = {
  kinds: EVERYWHERE,
  perform: async (frame) => JSON.stringify({ name: frame.options.path, componentPath: "" }),
};

export const getDeploymentMetadata: HostCall = {
  kinds: EVERYWHERE,
  perform: async (frame) => JSON.stringify({ name: frame.options.core.parts.config.deploymentName, region: null, class: "plinth" }),
};

/** Not in queries: their results are shared between requests. */
export const getRequestMetadata: HostCall = {
  kinds: ["mutation", "action", "httpAction"],
  perform: async (frame) => {
    const { run } = frame.options;
    return JSON.stringify({
      ip: null,
      userAgent: null,
      requestId: run.accepted.id,
      scheduledFunctionId: run.scheduledFunctionId ?? null,
      authToken: null,
    });
  },
};

const LIMIT_OF: Readonly<Record<keyof TransactionMetrics, LimitName>> = {
  bytesRead: "transactionReadBytesMax",
  bytesWritten: "transactionWriteBytesMax",
  databaseQueries: "transactionReadRangesMax",
  documentsRead: "transactionReadDocumentsMax",
  documentsWritten: "transactionWriteDocumentsMax",
  functionsScheduled: "transactionSchedulesMax",
  scheduledFunctionArgsBytes: "transactionScheduleArgsBytesMax",
};

export const getTransactionMetrics: HostCall = {
  kinds: TRANSACTIONS,
  perform: async (frame) => {
    const metrics = frame.options.transaction?.metrics();
    if (metrics === undefined) throw plinthError("EffectDenied", { detail: "An action has no transaction." });
    const names = Object.keys(LIMIT_OF) as (keyof TransactionMetrics)[];
    return JSON.stringify(
      Object.fromEntries(
        names.map((name) => [name, { used: metrics[name], remaining: Math.max(0, limit(LIMIT_OF[name]) - metrics[name]) }]),
      ),
    );
  },
};
