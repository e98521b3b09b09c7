/**
 * Every limit of Plinth, with its unit in the name and its reason beside it. No other file may define
 * one. `docs/reference/limits.md` is generated from here. Values marked "Convex" are those that
 * functions written for Convex expect.
 */
const KiB = 1024;
const MiB = 1024 * KiB;

export interface Limit {
  readonly value: number;
  readonly reason: string;
}

export const LIMITS = {
  // Values and documents.
  documentBytesMax: { value: MiB, reason: "one document (Convex)" },
  documentDepthMax: { value: 16, reason: "nesting of a stored document (Convex)" },
  valueDepthMax: { value: 64, reason: "nesting of arguments and results (Convex)" },
  jsonValuesMax: {
    value: 200_000,
    reason: "values in one JSON text that the host parses, which takes some tens of milliseconds",
  },
  objectFieldsMax: { value: 1024, reason: "fields of one object (Convex)" },
  arrayElementsMax: { value: 8192, reason: "elements of one array (Convex)" },
  fieldNameBytesMax: { value: 1024, reason: "length of a field name (Convex)" },
  topLevelFieldNameBytesMax: { value: 64, reason: "length of a top-level field name of a document (Convex)" },
  identifierBytesMax: { value: 64, reason: "length of a table or index name (Convex)" },
  indexFieldsMax: { value: 16, reason: "fields of one index (Convex)" },
  indexesPerTableMax: { value: 64, reason: "indexes of one table (Convex)" },
  vectorDimensionsMax: { value: 4096, reason: "dimensions of a vector index (Convex)" },
  indexKeyBytesMax: { value: 4 * MiB, reason: "one encoded index key: several fields of one document, escaped" },

  // Validators and filters: their work happens in the host, so it is counted.
  validatorNodesMax: { value: 16_384, reason: "parts of one validator" },
  validatorDepthMax: { value: 64, reason: "nesting of a validator: as deep as values go" },
  validationStepsMax: {
    value: 2_000_000,
    reason: "comparisons of one check of a value, some tens of milliseconds: five for each of the most values and fields",
  },
  validationStepsPerCallMax: {
    value: 10_000_000,
    reason: "comparisons of all documents that a transaction writes, and of all arguments and results of a call's nested ones",
  },
  validationSliceSteps: { value: 200_000, reason: "comparisons of a call's nested ones before others have the event loop" },
  failureTextCharsMax: { value: 2048, reason: "a value or validator that a message of a failed check shows" },
  filterNodesMax: { value: 1024, reason: "parts of one filter expression" },
  filterDepthMax: { value: 64, reason: "nesting of a filter expression" },
  filterStepsMax: {
    value: 10_000_000,
    reason: "evaluation steps of the filters of one transaction; 300 for each document that it may read",
  },
  filterRowStepsMax: { value: 1_000_000, reason: "evaluation steps of all filters of a query for one document, some tens of milliseconds" },

  // One transaction.
  transactionReadBytesMax: { value: 16 * MiB, reason: "bytes that one transaction reads (Convex)" },
  transactionReadDocumentsMax: { value: 32_000, reason: "documents that one transaction reads (Convex)" },
  transactionReadRangesMax: { value: 4096, reason: "index ranges that one transaction reads (Convex)" },
  transactionWriteBytesMax: { value: 16 * MiB, reason: "bytes that one transaction writes (Convex)" },
  transactionWriteDocumentsMax: { value: 16_000, reason: "documents that one transaction writes (Convex)" },
  transactionSchedulesMax: { value: 1000, reason: "functions that one mutation schedules (Convex)" },
  transactionScheduleArgsBytesMax: { value: 16 * MiB, reason: "arguments of all functions that one mutation schedules (Convex)" },
  scheduleArgsBytesMax: { value: 4 * MiB, reason: "arguments of one scheduled function (Convex)" },
  scheduleAheadMsMax: { value: 5 * 365 * 86_400_000, reason: "a function is scheduled within five years (Convex)" },
  transactionStoreBytesMax: {
    value: 64 * MiB,
    reason: "keys and values of one commit, index entries included: 64 indexes multiply a document",
  },
  transactionTablesMax: { value: 100, reason: "tables that one transaction makes by writing to them first" },
  databaseCallBytesMax: { value: 8 * MiB, reason: "argument of one database call: a document of 1 MiB whose characters are all escaped" },
  queryBytesMax: { value: 2 * MiB, reason: "one query: bounds as large as a document, and filters" },
  openQueriesBytesMax: { value: 16 * MiB, reason: "queries that one transaction holds open at the same time" },
  databaseSliceMs: { value: 4, reason: "work of one transaction before it lets others have the event loop" },
  platformConflictAttemptsMax: { value: 50, reason: "runs of one transaction of the platform's own records" },
  platformConflictBackoffMs: {
    value: 1,
    reason: "first pause after a conflict of the platform's own records; doubles each time, with jitter",
  },
  platformConflictBackoffMsMax: { value: 100, reason: "longest pause after a conflict of the platform's own records" },
  schemaBatchDocumentsMax: { value: 256, reason: "documents of one transaction that fills an index or removes a dropped one" },
  cataloguesCachedBytesMax: { value: 64 * MiB, reason: "stored form of the catalogues that are kept parsed" },
  cataloguesCachedMax: { value: 1000, reason: "catalogues of branches that are kept parsed" },
  queryOperatorsMax: { value: 256, reason: "filters and limits of one query (Convex)" },
  queryPageSizeMax: { value: 8192, reason: "rows of one page; a page is an array" },
  conflictAttemptsMax: { value: 5, reason: "runs of one interactive mutation: the first and four again (Convex)" },
  conflictBackoffMs: { value: 100, reason: "first pause after a conflict; doubles each time, with jitter" },
  conflictBackoffMsMax: { value: 2000, reason: "longest pause between two runs of an interactive mutation (Convex)" },
  callDepthMax: { value: 8, reason: "nesting of runQuery and runMutation (Convex)" },

  // The store.
  storeGroupBytesMax: { value: 8 * MiB, reason: "batches that share one sync; more would let the first wait for the last" },
  storePendingBytesMax: { value: 256 * MiB, reason: "writes that wait for the disk" },
  storeRecentBytesMax: {
    value: 4 * MiB,
    reason: "keys of recent commits in memory, against which conflicts are checked; older ones are read from the log",
  },
  storeWalPagesMax: { value: 4096, reason: "write-ahead log (16 MiB) before it is moved into the database file" },
  storeDatabaseBytesMax: { value: 4 * 1024 * 1024 * MiB, reason: "the database file" },
  historyCollectIntervalMs: { value: 60_000, reason: "between two collections of old history" },
  historySliceKeysMax: { value: 256, reason: "keys that one slice of collection visits; a commit waits for one slice at most" },
  historySliceBytesMax: { value: MiB, reason: "values that one slice of collection removes" },

  // One call.
  argsBytesMax: { value: 16 * MiB, reason: "arguments of a call (Convex)" },
  resultBytesMax: { value: 16 * MiB, reason: "result of a call (Convex)" },
  httpBodyBytesMax: {
    value: 12 * MiB,
    reason: "body of an HTTP action's request and response: it travels in one frame as base64, and twice lies in the heap of the call",
  },
  userCpuMsMax: { value: 1000, reason: "JavaScript time of a query or mutation, waits for data excluded (Convex)" },
  hostCallChargedBytes: {
    value: 64 * KiB,
    reason: "argument of a query's or mutation's host call from which on the time to read it is the call's own JavaScript time",
  },
  systemWallMsMax: { value: 15_000, reason: "whole time of a query or mutation (Convex)" },
  actionWallMsMax: { value: 600_000, reason: "whole time of an action (Convex)" },
  handlerWallMs: { value: 30_000, reason: "whole time of a handler when its manifest does not say" },
  inlineWallMs: { value: 30_000, reason: "whole time of inline code when the call does not say" },
  inlineWallMsMax: { value: 180_000, reason: "whole time that a call may give inline code" },
  inlineCodeBytesMax: { value: 256 * KiB, reason: "text of inline code" },
  inlineMemoryBytesMax: { value: 256 * MiB, reason: "memory of inline code" },
  inlineKeyringsMax: { value: 16, reason: "keyrings that a call gives to inline code" },
  resultInRecordCharsMax: { value: 256 * KiB, reason: "result of a stored call that its record holds itself; larger ones are blobs" },
  artefactsPerInvocationMax: { value: 64, reason: "files that one call leaves" },
  artefactBytesMax: { value: 8 * MiB, reason: "one file that a call leaves; it travels as one host call" },
  analyzeWallMsMax: { value: 4000, reason: "evaluation of the modules at deploy (Convex)" },
  killGraceMs: { value: 100, reason: "between the polite end of a call and SIGKILL of its runner" },
  isolateHeapBytesMax: { value: 64 * MiB, reason: "JavaScript heap of one call (Convex)" },
  runnerMemoryBytesMax: { value: 320 * MiB, reason: "private memory of one runner beyond its idle size: four heaps and slack" },
  timersPerCallMax: { value: 1000, reason: "timers of one action that wait at the same time" },
  logLinesMax: { value: 256, reason: "console lines of one call (Convex)" },
  logLineBytesMax: { value: 4 * KiB, reason: "one console line (Convex documentation)" },
  pendingHostCallsMax: { value: 1024, reason: "host calls of one invocation that wait at the same time" },
  hostCallsPerInvocationMax: { value: 100_000, reason: "host calls of one invocation in all" },
  invocationDepthMax: { value: 16, reason: "calls that cause calls through actions; a loop ends here" },
  environmentVariablesMax: { value: 1000, reason: "variables of one branch (Convex)" },
  environmentVariableBytesMax: { value: 8 * KiB, reason: "one variable (Convex)" },

  // fetch of actions.
  fetchBodyBytesMax: { value: 10 * MiB, reason: "one fetched body, after decompression" },
  fetchHeadersMax: { value: 100, reason: "headers of one fetch" },
  fetchHeaderBytesMax: { value: 16 * KiB, reason: "all headers of one fetch" },
  fetchRedirectsMax: { value: 5, reason: "redirects of one fetch, each checked like the first" },
  fetchConnectMsMax: { value: 5000, reason: "until a connection stands" },
  fetchesPerInvocationMax: { value: 16, reason: "fetches of one invocation at the same time" },
  fetchesPerTenantMax: { value: 64, reason: "fetches of one tenant at the same time" },
  fetchesWaitingPerTenantMax: { value: 2000, reason: "fetches of one tenant that wait for their turn" },
  fetchUrlBytesMax: { value: 16 * KiB, reason: "length of the URL of a fetch" },
  fetchBufferedBytesPerTenantMax: { value: 128 * MiB, reason: "bodies of one tenant's fetches that the host holds at the same time" },
  fetchBufferedBytesMax: { value: 512 * MiB, reason: "bodies of all fetches that the host holds at the same time" },

  // Cryptography of guests.
  cryptoIterationsMax: { value: 10_000_000, reason: "iterations of one key derivation: some seconds" },
  rsaModulusBitsMax: { value: 8192, reason: "size of a generated RSA key: some seconds" },

  // Runner protocol.
  frameBytesMax: { value: 24 * MiB, reason: "one frame: the largest result or arguments with JSON escapes and its envelope" },
  envelopeBytesMax: { value: 64 * KiB, reason: "the part of a frame that the host parses" },
  protocolOpCharsMax: { value: 64, reason: "name of a host call" },
  protocolNameCharsMax: { value: 128, reason: "names and digests in messages of a runner" },
  envelopeDepthMax: { value: 8, reason: "nesting of an envelope" },
  failureMessageCharsMax: { value: 16 * KiB, reason: "message of an error that user code threw; the runner cuts it there" },
  failureStackCharsMax: { value: 64 * KiB, reason: "stack of an error that user code threw; the runner cuts it there" },
  runnerStallMsMax: { value: 5000, reason: "a runner that does not read its socket for so long is killed" },

  // Runners.
  runnersMax: { value: 64, reason: "runners of one host" },
  runnersPerTenantMax: { value: 4, reason: "runners of one tenant: sixteen transaction places" },
  runnerTransactionPlaces: { value: 4, reason: "queries and mutations of one runner at the same time" },
  runnerActionPlaces: { value: 16, reason: "actions of one runner at the same time; most of them wait" },
  sandboxMemoryBytesMax: { value: 2048 * MiB, reason: "private memory of all runners; over it the least recently used idle ones end" },
  runnerIdleBytes: { value: 48 * MiB, reason: "private memory that a runner is expected to take when it starts" },
  runnerBaseHeapBytesMax: { value: 160 * MiB, reason: "heap of a runner's own code: frames of several calls as text" },
  isolateDataBytes: { value: 528 * MiB, reason: "address space that the engine maps for the code of one isolate, used or not" },
  runnerStartMsMax: { value: 10_000, reason: "from the start of a runner's process until it is ready" },
  runnersStartingMax: { value: 4, reason: "runners that start at the same time" },
  runnerStartFailuresMax: { value: 5, reason: "starts that fail in a row before waiting calls are refused" },
  runnerStartBackoffMs: { value: 100, reason: "pause after a runner died badly; doubles with each one in a row" },
  runnerStartBackoffMsMax: { value: 5000, reason: "longest pause between starts" },
  runnerIdleMsMax: { value: 60_000, reason: "a tenant's runner without calls ends after this time" },
  runnerCallsMax: { value: 200_000, reason: "calls of one runner before it is replaced" },
  runnerAgeMsMax: { value: 6 * 3_600_000, reason: "age of a runner when it is replaced" },
  runnerRetireMemoryBytes: { value: 256 * MiB, reason: "private memory of an idle moment above which a runner is replaced" },
  runnerVersionsMax: { value: 8, reason: "versions that one runner keeps loaded" },
  runnerThreadsMax: { value: 64, reason: "threads and processes of one jail" },
  runnerFilesMax: { value: 64, reason: "open files of one jail" },
  runnerOutputBytesMax: { value: 64 * KiB, reason: "standard output and error of one runner that the host looks at" },
  runnerWriteQueueBytesMax: { value: 192 * MiB, reason: "bytes that wait for one runner to read them: eight of the largest frames" },
  runnerPendingArgBytesMax: {
    value: 64 * MiB,
    reason: "arguments of host calls in progress above which the host stops reading from the runner",
  },

  // Deploys.
  bundleBytesMax: { value: 16 * MiB, reason: "code of one version; it travels in one frame" },
  sourceMapBytesMax: { value: 20 * MiB, reason: "source map of one version; it travels in one frame" },
  functionsPerVersionMax: { value: 10_000, reason: "functions of one version" },
  modulesPerVersionMax: { value: 2000, reason: "modules of one version" },
  analysisSliceChars: { value: 256 * KiB, reason: "validators of a version that are checked before others have the event loop" },
  cronsPerVersionMax: { value: 1000, reason: "cron jobs of one version" },
  cronTextCharsMax: { value: 256, reason: "name of a cron job, and its cron expression" },
  tablesPerBranchMax: { value: 10_000, reason: "tables of one branch (Convex)" },

  headsKeptMax: { value: 20, reason: "past versions of one branch whose code is kept" },
  deploysWaitingMax: { value: 16, reason: "deploys of one branch that wait for each other" },
  deployChunkBytesMax: { value: 256 * KiB, reason: "piece of a stored artefact" },
  cachedOlderVersionsMax: {
    value: 16,
    reason: "versions that calls still run with after the head moved, whose functions are kept in memory",
  },
  cachedHeadsBytesMax: {
    value: 64 * MiB,
    reason: "stored form of what the branches in memory declare; parsed, it takes a few times as much",
  },
  cachedHeadsMax: { value: 1000, reason: "branch heads whose functions are kept in memory" },

  // Packages.
  archiveBytesMax: { value: 128 * MiB, reason: "one uploaded archive, compressed" },
  archiveUnpackedBytesMax: { value: 512 * MiB, reason: "one archive when it is unpacked" },
  archiveFileBytesMax: { value: 128 * MiB, reason: "one file of an archive" },
  archiveEntriesMax: { value: 100_000, reason: "files and folders of one archive" },
  archivePathBytesMax: { value: 1024, reason: "name of a file of an archive, with its folders" },
  archivePathDepthMax: { value: 64, reason: "folders that a file of an archive lies in" },
  archiveNameBytesMax: { value: 255, reason: "one part of such a name, as file systems take it" },
  archiveNamesCharsMax: { value: 32 * MiB, reason: "names of all files and folders of an archive, which lie in memory while it is read" },
  archiveExtensionBytesMax: { value: 64 * KiB, reason: "one extended header of an archive" },

  // Tenants and keys.
  tenantsMax: { value: 10_000, reason: "tenants of one host" },
  keysPerTenantMax: { value: 1000, reason: "keys of one tenant" },
  cachedTenantsMax: { value: 10_000, reason: "tenants that are kept in memory" },
  cachedKeysMax: { value: 10_000, reason: "keys that are kept in memory, as digests" },

  // Branches.
  branchesPerTenantMax: { value: 100, reason: "branches of one tenant besides `main`; their keys are kept in memory" },
  headSnapshotDaysMax: { value: 30, reason: "days for which the heads of a branch are kept" },
  usedBranchesMax: { value: 64, reason: "branches used last whose versions are warmed after a start" },
  usedBranchesWriteMs: { value: 60_000, reason: "how often the list of used branches is stored at most" },
  metricBranchesMax: { value: 50, reason: "branch names with metrics of their own; later ones share `other`" },

  // Engine.
  queriesPerTenantMax: { value: 32, reason: "queries of one tenant that run at the same time; more than keeps a small machine busy" },
  mutationsPerTenantMax: {
    value: 32,
    reason: "mutations of one tenant that run or commit at the same time; what commits together shares one sync",
  },
  actionsPerTenantMax: { value: 64, reason: "actions of one tenant that run at the same time (Convex)" },
  queueEntriesPerTenantMax: { value: 2000, reason: "calls of one tenant that wait for a place" },
  queueEntriesMax: { value: 20_000, reason: "calls of all tenants that wait for a place" },
  queueWaitMsMax: { value: 5000, reason: "wait of a query or mutation for a place (Convex)" },
  actionQueueWaitMsMax: { value: 10_000, reason: "wait of an action for a place (Convex)" },
  asyncQueueEntriesPerTenantMax: { value: 100_000, reason: "asynchronous invocations of one tenant that wait" },
  asyncQueueBytesPerTenantMax: { value: 256 * MiB, reason: "arguments of the asynchronous invocations of one tenant that wait" },
  leaseMsMax: { value: 630_000, reason: "a lease outlives the longest action by half a minute" },
  platformAttemptsMax: { value: 3, reason: "runs of one invocation after failures of the platform" },
  retryBackoffMs: { value: 5000, reason: "first pause after a failure of the platform; doubles each time" },
  retryBackoffMsMax: { value: 60_000, reason: "longest pause after a failure of the platform" },
  scheduledConflictBackoffMsMax: {
    value: 60_000,
    reason: "longest pause between two runs of a scheduled mutation after conflicts (Convex)",
  },
  queryCacheBytesMax: { value: 100 * MiB, reason: "results of queries that are kept (Convex)" },

  invocationRecordsPerSecondMax: {
    value: 10,
    reason: "records of successful synchronous calls that are kept per function; the rest is counted in metrics only",
  },
  invocationRecordsBufferedMax: { value: 4096, reason: "records of finished synchronous calls that wait to be written together" },
  invocationRecordsBufferedBytesMax: { value: 16 * MiB, reason: "texts of these records" },
  invocationRecordsFlushMs: { value: 250, reason: "how long a record of a finished synchronous call waits for others" },
  childActionsOpenMax: { value: 64, reason: "actions that run at the same time below one action, on its place" },
  functionPathCharsMax: { value: 1024, reason: "length of a function's path or handle" },
  partialResultsMax: { value: 1000, reason: "partial results of one action" },
  partialResultBytesMax: { value: MiB, reason: "one partial result" },
  watchEventsBufferedMax: { value: 2048, reason: "events of one invocation that are kept for those who watch it" },
  queryCacheTimeMsMax: { value: 17_000, reason: "how long a result that depends on the time is used again (Convex)" },
  queryCacheRangesMax: { value: 1024, reason: "read ranges of one result that is kept" },
  queryCacheEntryBytesMax: { value: 4 * MiB, reason: "one result that is kept" },
  hostTransactionsMax: { value: 64, reason: "queries and mutations that run at the same time on one host" },
  hostActionsMax: { value: 256, reason: "actions that run at the same time on one host; most of them wait" },
  metricFunctionsMax: { value: 1000, reason: "functions with metrics of their own; later ones share `other`" },
  hostLogFieldCharsMax: { value: 16 * KiB, reason: "one field of a line of the host's own log" },

  // Schedules.
  scheduledRunsPerTenantMax: { value: 8, reason: "scheduled functions of one tenant that run at the same time (Convex)" },
  scheduledRunsMax: { value: 64, reason: "scheduled functions that run at the same time on one host" },
  scheduledRetryBackoffMs: {
    value: 500,
    reason: "first pause after a failure of the platform in a scheduled mutation; doubles each time (Convex)",
  },
  scheduledRetryBackoffMsMax: { value: 2 * 3_600_000, reason: "longest pause after such a failure (Convex)" },
  cronSkipRecordsMax: { value: 1000, reason: "missed runs of one cron that are counted; of more it is only said that there were many" },

  // Retention.
  historyRetentionMs: { value: 86_400_000, reason: "how long replaced values stay readable" },
  invocationRetentionMs: { value: 7 * 86_400_000, reason: "how long records of invocations are kept" },
  scheduledRetentionMs: { value: 7 * 86_400_000, reason: "how long finished scheduled functions are kept (Convex)" },
  idempotencyRetentionMs: { value: 14 * 86_400_000, reason: "how long an idempotency key answers with its first result (Convex)" },

  // Doors.
  requestBodyBytesMax: { value: 24 * MiB, reason: "one HTTP request: the largest arguments with JSON escapes" },
  requestBodiesBytesMax: { value: 512 * MiB, reason: "bodies of all requests that are being read or answered" },
  connectionsMax: { value: 10_000, reason: "open connections of one port" },
  deployBodyBytesMax: { value: 40 * MiB, reason: "one deploy: code and source map" },
  jsonDepthMax: { value: 96, reason: "nesting of request bodies: the deepest value within its envelope" },
  queryBatchMax: { value: 100, reason: "queries of one query_batch" },
  requestHeadersMax: { value: 200, reason: "headers of one HTTP request" },
  requestHeaderBytesMax: { value: 32 * KiB, reason: "request line and headers of one HTTP request" },
  queryParametersMax: { value: 200, reason: "query parameters of one HTTP request" },
  requestReadMsMax: { value: 60_000, reason: "until the headers and body of one HTTP request have arrived" },
  responseHeadersMax: { value: 100, reason: "headers of the response of an HTTP action" },
  responseHeaderBytesMax: { value: 16 * KiB, reason: "all headers of the response of an HTTP action" },
  idempotencyKeyBytesMax: { value: 256, reason: "length of an idempotency key" },
  identityBytesMax: { value: 8 * KiB, reason: "identity that an admin key acts as" },
  noteBytesMax: { value: 4 * KiB, reason: "note of a deploy" },
  eventStreamBufferBytesMax: { value: 8 * MiB, reason: "events that wait for a slow reader; beyond it the stream is cut" },
  eventStreamHeartbeatMs: { value: 15_000, reason: "silence of an event stream, so that proxies keep it open" },
  logStreamPastMax: { value: 1000, reason: "past invocations that a log stream begins with" },
  streamsPerTenantMax: { value: 1000, reason: "open event streams of one tenant" },
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof LIMITS;

/** The value of one limit. */
export function limit(name: LimitName): number {
  return LIMITS[name].value;
}
