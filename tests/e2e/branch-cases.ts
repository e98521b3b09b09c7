/**
 * What the test of leaks between branches works with: four places that must know nothing of each other, and one request for each
 * route of the tables. A new route gets its line here.
 */
import { CONVEX_ROUTES } from "../../packages/server/src/doors/convex/table.ts";
import type { Route } from "../../packages/server/src/doors/door.ts";
import { INBOUND_ROUTES } from "../../packages/server/src/doors/inbound/table.ts";
import { NATIVE_ROUTES } from "../../packages/server/src/doors/native/table.ts";
import { SNAP_IN_ROUTES } from "../../packages/server/src/doors/snap-in/table.ts";
import { SYNC_ROUTES } from "../../packages/server/src/doors/sync/table.ts";
import { textAt, type Answer, type SendOptions } from "../../packages/server/src/doors/test/test-host.ts";

const named = (door: string, routes: Readonly<Record<string, Route>>) =>
  Object.fromEntries(Object.entries(routes).map(([name, route]) => [`${door}.${name}`, route]));

export const ROUTES: Readonly<Record<string, Route>> = {
  ...NATIVE_ROUTES,
  ...CONVEX_ROUTES,
  ...named("inbound", INBOUND_ROUTES),
  ...named("sync", SYNC_ROUTES),
  ...named("snapIn", SNAP_IN_ROUTES),
};

export interface Place {
  /** `/t/<tenant>` or nothing. */
  readonly prefix: string;
  readonly branch: string;
  /** Stands in its code, data, variable and logs, and nowhere else. */
  readonly word: string;
  headers: Readonly<Record<string, string>>;
}

export const MAIN: Place = { prefix: "", branch: "main", word: "of-main", headers: {} };
export const DEV: Place = { prefix: "", branch: "dev", word: "of-dev", headers: {} };
export const OTHER: Place = { prefix: "", branch: "other", word: "of-other", headers: {} };
export const ACME: Place = { prefix: "/t/acme", branch: "dev", word: "of-acme", headers: {} };
export const PLACES = [MAIN, DEV, OTHER, ACME];

export interface Sent {
  readonly path: string;
  readonly options?: SendOptions;
  /** Whether the answer has the word of its place. */
  readonly tells?: boolean;
  /** Whether a good answer is one that refuses, because the place has nothing of the kind. */
  readonly refused?: boolean;
}
/** What the cases work with: requests to a place, and the script that is deployed. */
interface Tools {
  readonly request: (place: Place, path: string, options?: SendOptions) => Promise<Answer>;
  readonly script: string;
}
type Case = "about no branch" | ((place: Place, tools: Tools) => Promise<Sent>);

const MAPPERS = "/internal/airdrop.sync-mapper-record";
const EVENT = { execution_metadata: { function_name: "none", event_type: "x" }, context: {}, payload: {} };

export const call = (path: string, args: object = {}) => ({ path, args, format: "json" });
const flowOf = ({ word }: Place) => ({
  format: 1,
  name: "told",
  description: word,
  trigger: { type: "manual" },
  start: "tell",
  nodes: {
    tell: { type: "assignment", data: { values: { word } }, next: "wait" },
    wait: { type: "wait", data: { for: "signal", signal: "go" } },
  },
  variables: { word: { type: "string", initial: word } },
});
const publishedFlow = async (place: Place, { request }: Tools) => {
  const answer = await request(place, "/v1/flows", { body: { definition: flowOf(place) } });
  if (!answer.text.includes('"findings":[]')) throw new Error(answer.text);
};
const runOf = async (place: Place, tools: Tools) => {
  await publishedFlow(place, tools);
  return `/v1/flow-runs/${textAt(await tools.request(place, "/v1/flows/told/runs", { body: {} }), "id")}`;
};
const invocationOf = async (place: Place, { request }: Tools) => {
  const queued = await request(place, "/v1/functions/notes:pause/execute", { body: { args: { ms: 1 }, mode: "async" } });
  return `/v1/invocations/${textAt(queued, "id")}`;
};

/** One request for each route; with `tells`, its answer must show where it came from. */
export const CASES: Readonly<Record<string, Case>> = {
  listFunctions: async () => ({ path: "/v1/functions" }),
  resolveFunction: async () => ({ path: "/v1/functions/notes:list/resolve", options: { method: "POST" } }),
  executeFunction: async () => ({ path: "/v1/functions/notes:list/execute", options: { body: {} }, tells: true }),
  getInvocation: async (place, tools) => ({ path: await invocationOf(place, tools) }),
  cancelInvocation: async (place, tools) => ({ path: await invocationOf(place, tools), options: { method: "DELETE" } }),
  getArtefact: async (place, tools) => ({ path: `${await invocationOf(place, tools)}/artefacts/none`, refused: true }),
  executeCode: async () => ({ path: "/v1/code/execute", options: { body: { language: "nothing", code: "1" } }, refused: true }),
  uploadVersion: async () => ({
    path: "/v1/packages/none/versions",
    options: { body: "no archive", headers: { "content-type": "application/gzip" } },
    refused: true,
  }),
  listPackages: async () => ({ path: "/v1/packages" }),
  getPackage: async () => ({ path: "/v1/packages/none", refused: true }),
  getPackageVersion: async () => ({ path: "/v1/packages/none/versions/none", refused: true }),
  promotePackage: async () => ({ path: "/v1/packages/none/promote", options: { body: { version: "0".repeat(64) } }, refused: true }),
  rollbackPackage: async () => ({ path: "/v1/packages/none/rollback", options: { body: {} }, refused: true }),
  diffPackage: async () => ({ path: "/v1/packages/none/diff?from=a&to=b", refused: true }),
  listKeyrings: async () => ({ path: "/v1/keyrings" }),
  createKeyring: async () => ({ path: "/v1/keyrings", options: { body: {} }, refused: true }),
  getKeyring: async () => ({ path: "/v1/keyrings/none", refused: true }),
  changeKeyring: async () => ({ path: "/v1/keyrings/none", options: { method: "PUT", body: {} }, refused: true }),
  revokeKeyring: async () => ({ path: "/v1/keyrings/none", options: { method: "DELETE" }, refused: true }),
  startOauth: async () => ({ path: "/v1/keyrings/oauth/start", options: { body: {} }, refused: true }),
  finishOauth: "about no branch",
  rotateKeyrings: "about no branch",
  listSnapIns: async () => ({ path: "/v1/snap-ins" }),
  installSnapIn: async () => ({ path: "/v1/snap-ins", options: { body: {} }, refused: true }),
  getSnapIn: async () => ({ path: "/v1/snap-ins/none", refused: true }),
  configureSnapIn: async () => ({ path: "/v1/snap-ins/none/configure", options: { body: {} }, refused: true }),
  activateSnapIn: async () => ({ path: "/v1/snap-ins/none/activate", options: { body: {} }, refused: true }),
  deactivateSnapIn: async () => ({ path: "/v1/snap-ins/none/deactivate", options: { body: {} }, refused: true }),
  upgradeSnapIn: async () => ({ path: "/v1/snap-ins/none/upgrade", options: { body: {} }, refused: true }),
  removeSnapIn: async () => ({ path: "/v1/snap-ins/none", options: { method: "DELETE" }, refused: true }),
  openSnapInUser: async () => ({ path: "/v1/snap-ins/none/users", options: { body: { user: "u" } }, refused: true }),
  closeSnapInUser: async () => ({ path: "/v1/snap-ins/none/users?user=u", options: { method: "DELETE" }, refused: true }),
  publishEvent: async () => ({
    path: "/v1/events",
    options: { body: { snapIn: "none", source: "none", type: "x" } },
    refused: true,
  }),
  unscheduleEvent: async () => ({ path: "/v1/events?snapIn=none&source=none&key=x", options: { method: "DELETE" }, refused: true }),
  listWaiting: async () => ({ path: "/v1/events/waiting" }),
  listDeadLetters: async () => ({ path: "/v1/events/dead-letters" }),
  getDeadLetter: async () => ({ path: "/v1/events/dead-letters/dlv_none", refused: true }),
  replayDeadLetter: async () => ({ path: "/v1/events/dead-letters/dlv_none/replay", options: { method: "POST" }, refused: true }),
  discardDeadLetter: async () => ({ path: "/v1/events/dead-letters/dlv_none", options: { method: "DELETE" }, refused: true }),
  listOperations: async () => ({ path: "/v1/operations?limit=5" }),
  getOperation: async () => ({ path: "/v1/operations/get_note" }),
  executeOperation: async () => ({ path: "/v1/operations/list_note/execute", options: { body: { input: {} } }, tells: true }),
  operationSchema: async () => ({ path: "/v1/operations/list_note/schema", options: { body: { input: {} } } }),
  activateOperation: async () => ({ path: "/v1/operations/list_note/activate", options: { body: {} }, refused: true }),
  deactivateOperation: async () => ({ path: "/v1/operations/list_note/deactivate", options: { body: {} }, refused: true }),
  checkFlow: async (place) => ({ path: "/v1/flows/check", options: { body: { definition: flowOf(place) } } }),
  publishFlow: async (place) => ({ path: "/v1/flows", options: { body: { definition: flowOf(place) } } }),
  listFlows: async (place, tools) => {
    await publishedFlow(place, tools);
    return { path: "/v1/flows", tells: true };
  },
  getFlow: async (place, tools) => {
    await publishedFlow(place, tools);
    return { path: "/v1/flows/told", tells: true };
  },
  getFlowAddress: async () => ({ path: "/v1/flows/none/address", refused: true }),
  renewFlowAddress: async () => ({ path: "/v1/flows/none/address", options: { method: "POST" }, refused: true }),
  switchFlow: async (place, tools) => {
    await publishedFlow(place, tools);
    return { path: "/v1/flows/told/state", options: { method: "PUT", body: { isOn: true } } };
  },
  deleteFlow: async () => ({ path: "/v1/flows/none", options: { method: "DELETE" }, refused: true }),
  startFlow: async (place, tools) => {
    await publishedFlow(place, tools);
    return { path: "/v1/flows/told/runs", options: { body: { waitMs: 1 } } };
  },
  listFlowRuns: async (place, tools) => {
    await runOf(place, tools);
    return { path: "/v1/flow-runs?flow=told" };
  },
  getFlowRun: async (place, tools) => ({ path: await runOf(place, tools), tells: true }),
  getFlowHistory: async (place, tools) => ({ path: `${await runOf(place, tools)}/history`, tells: true }),
  signalFlowRun: async (place, tools) => ({ path: `${await runOf(place, tools)}/signal`, options: { body: { name: "go" } } }),
  cancelFlowRun: async (place, tools) => ({ path: `${await runOf(place, tools)}/cancel`, options: { body: {} }, refused: true }),
  pauseFlowRun: async (place, tools) => ({ path: `${await runOf(place, tools)}/pause`, options: { body: {} }, refused: true }),
  resumeFlowRun: async (place, tools) => ({ path: `${await runOf(place, tools)}/resume`, options: { body: {} }, refused: true }),
  retryFlowRun: async (place, tools) => ({
    path: `${await runOf(place, tools)}/retry`,
    options: { body: { node: "tell" } },
    refused: true,
  }),
  compareFlow: async (place, tools) => {
    await publishedFlow(place, tools);
    return { path: "/v1/flows/compare", options: { body: { definition: flowOf(place) } } };
  },
  dryRunFlow: async (place) => ({ path: "/v1/flows/dry-run", options: { body: { definition: flowOf(place) } } }),
  importFlow: async (place) => ({ path: "/v1/flows/import", options: { body: { definition: flowOf(place) } }, refused: true }),
  exportFlow: async (place, tools) => {
    await publishedFlow(place, tools);
    return { path: "/v1/flows/told/export", tells: true };
  },
  getFlowTests: async (place, tools) => {
    await publishedFlow(place, tools);
    return { path: "/v1/flows/told/tests", refused: true };
  },
  setFlowTests: async () => ({ path: "/v1/flows/none/tests", options: { method: "PUT", body: {} }, refused: true }),
  uploadFlowBundle: async () => ({
    path: "/v1/flow-bundles",
    options: { body: "no bundle", headers: { "content-type": "application/gzip" } },
    refused: true,
  }),
  getFlowBundle: async () => ({ path: `/v1/flow-bundles/${"0".repeat(64)}`, refused: true }),
  getFlowRunState: async (place, tools) => ({ path: `${await runOf(place, tools)}/state`, tells: true }),
  changeFlowRuns: async () => ({ path: "/v1/flow-runs/changes", options: { body: { action: "none" } }, refused: true }),
  moveFlowRun: async (place, tools) => ({ path: `${await runOf(place, tools)}/move`, options: { body: { to: "none" } }, refused: true }),
  rerunFlowRun: async (place, tools) => ({ path: `${await runOf(place, tools)}/rerun`, options: { body: {} }, refused: true }),
  getFlowValue: async (place, tools) => ({ path: `${await runOf(place, tools)}/values/${"0".repeat(64)}`, refused: true }),
  getFlowLogs: async (place, tools) => ({ path: `${await runOf(place, tools)}/logs` }),
  answerFlowStep: async () => ({ path: "/v1/flow-answers", options: { body: { token: "none", output: 1 } }, refused: true }),
  listCommands: async () => ({ path: "/v1/commands" }),
  runCommand: async () => ({ path: "/v1/commands/none/none", options: { body: { object: "o", user: "u" } }, refused: true }),
  runSnapKitAction: async () => ({
    path: "/v1/snap-kit/actions",
    options: { body: { snapIn: "none", action: "a", element: { id: "e", type: "button" }, user: "u" } },
    refused: true,
  }),
  initializeSnapKit: async () => ({
    path: "/v1/snap-kit/initialize",
    options: { body: { snapIn: "none", initializer: "i", user: "u" } },
    refused: true,
  }),
  listSyncImports: async () => ({ path: "/v1/sync/imports" }),
  listSyncUnits: async () => ({ path: "/v1/sync/units" }),
  createSyncUnit: async () => ({
    path: "/v1/sync/units",
    options: { body: { snapIn: "none", import: "i", keyring: "k" } },
    refused: true,
  }),
  getSyncUnit: async () => ({ path: "/v1/sync/units/none", refused: true }),
  chooseSyncUnit: async () => ({ path: "/v1/sync/units/none/choose", options: { body: { external: { id: "x" } } }, refused: true }),
  removeSyncUnit: async () => ({ path: "/v1/sync/units/none", options: { method: "DELETE" }, refused: true }),
  startSyncRun: async () => ({ path: "/v1/sync/units/none/runs", options: { body: {} }, refused: true }),
  getSyncRun: async () => ({ path: "/v1/sync/runs/none", refused: true }),
  cancelSyncRun: async () => ({ path: "/v1/sync/runs/none/cancel", options: { method: "POST" }, refused: true }),
  listSyncArtefacts: async () => ({ path: "/v1/sync/runs/none/artefacts", refused: true }),
  getSyncArtefact: async () => ({ path: "/v1/sync/runs/none/artefacts/none", refused: true }),
  listSyncItems: async () => ({ path: "/v1/sync/runs/none/items", refused: true }),
  getOpenApi: "about no branch",
  getLimits: "about no branch",
  setLimits: "about no branch",
  getUsage: "about no branch",
  // Their token or URL says which branch is meant; tests/inbound and tests/sync try those of others.
  "inbound.getWebhook": "about no branch",
  "inbound.postWebhook": "about no branch",
  "inbound.getFlowHook": "about no branch",
  "inbound.postFlowHook": "about no branch",
  "inbound.getFlowAnswer": "about no branch",
  "inbound.postFlowAnswer": "about no branch",
  "inbound.postScriptReport": "about no branch",
  "inbound.getEventSource": "about no branch",
  "inbound.postEventSource": "about no branch",
  "inbound.postEmail": "about no branch",
  "inbound.getInboundArtefact": async () => ({ path: "/v1/artefacts/none", refused: true }),
  "sync.report": "about no branch",
  "sync.getState": "about no branch",
  "sync.updateState": "about no branch",
  "sync.uploadFile": "about no branch",
  "sync.downloadFile": "about no branch",
  "sync.uploadUrl": async () => ({
    path: "/internal/airdrop.artifacts.upload-url?request_id=none&file_type=t&file_name=n",
    refused: true,
  }),
  "sync.confirmUpload": async () => ({ path: "/internal/airdrop.artifacts.confirm-upload", options: { body: {} }, refused: true }),
  "sync.downloadUrl": async () => ({ path: "/internal/airdrop.artifacts.download-url?request_id=none", refused: true }),
  "sync.getMapperByTarget": async () => ({ path: `${MAPPERS}.get-by-target?sync_unit=none&target=t`, refused: true }),
  "sync.getMapperByExternalId": async () => ({ path: `${MAPPERS}.get-by-external-id?sync_unit=none&external_id=x`, refused: true }),
  "sync.createMapper": async () => ({ path: `${MAPPERS}.create`, options: { body: {} }, refused: true }),
  "sync.updateMapper": async () => ({ path: `${MAPPERS}.update`, options: { body: {} }, refused: true }),
  "sync.createBlueprint": async () => ({ path: "/internal/airdrop.recipe.blueprints.create", options: { body: {} }, refused: true }),
  "sync.installMappings": async () => ({
    path: "/internal/airdrop.recipe.initial-domain-mappings.install",
    options: { body: {} },
    refused: true,
  }),
  "snapIn.handleSync": async () => ({ path: "/handle/sync?package=none", options: { body: EVENT }, refused: true }),
  "snapIn.handleAsync": async () => ({ path: "/handle/async?package=none", options: { body: [EVENT] }, refused: true }),
  "snapIn.uploadArtifact": "about no branch",
  "snapIn.downloadArtifact": "about no branch",
  "snapIn.getCall": async () => ({ path: "/notes.list", tells: true }),
  "snapIn.postCall": async () => ({ path: "/notes.list", options: { body: {} }, tells: true }),
  "snapIn.getInternalCall": async () => ({ path: "/internal/notes.list", tells: true }),
  "snapIn.postInternalCall": async () => ({ path: "/internal/notes.list", options: { body: {} }, tells: true }),
  "snapIn.getPublicCall": async () => ({ path: "/public/notes.list", tells: true }),
  "snapIn.postPublicCall": async () => ({ path: "/public/notes.list", options: { body: {} }, tells: true }),
  deploy: async (place, { script }) => ({
    path: "/v1/deploy",
    options: { body: { script: script.replaceAll("code-of-nobody", `code-${place.word}`), sourceMap: null } },
  }),
  getEnvironment: async () => ({ path: "/v1/environment", tells: true }),
  setEnvironment: async () => ({ path: "/v1/environment", options: { body: { changes: { OTHER: "x" } } } }),
  logs: async () => ({ path: "/v1/logs", tells: true }),
  listTenants: "about no branch",
  createTenant: "about no branch",
  changeTenant: "about no branch",
  deleteTenant: "about no branch",
  listKeys: "about no branch",
  createKey: "about no branch",
  revokeKey: "about no branch",
  listBranches: "about no branch",
  createBranch: "about no branch",
  deleteBranch: "about no branch",
  rotateBranchKey: "about no branch",
  listHeadSnapshots: "about no branch",
  health: "about no branch",
  metrics: "about no branch",
  backup: "about no branch",
  query: async () => ({ path: "/api/query", options: { body: call("notes:list") }, tells: true }),
  queryByGet: async () => ({ path: "/api/query?path=notes:list&args=%7B%7D&format=json", tells: true }),
  mutation: async () => ({ path: "/api/mutation", options: { body: call("notes:add", { text: "x" }) }, tells: true }),
  action: async () => ({ path: "/api/action", options: { body: call("notes:pause", { ms: 1 }) }, tells: true }),
  anyFunction: async () => ({ path: "/api/function", options: { body: call("notes:list") }, tells: true }),
  run: async () => ({ path: "/api/run/notes/list", options: { body: { args: {}, format: "json" } }, tells: true }),
  queryBatch: async () => ({ path: "/api/query_batch", options: { body: { queries: [call("notes:list")] } }, tells: true }),
  queryTs: async () => ({ path: "/api/query_ts", options: { method: "POST" } }),
  queryAtTs: async (place, { request }) => {
    const ts = textAt(await request(place, "/api/query_ts", { method: "POST" }), "ts");
    return { path: "/api/query_at_ts", options: { body: { ...call("notes:list"), ts } }, tells: true };
  },
  version: "about no branch",
  instanceName: "about no branch",
  instanceVersion: "about no branch",
};
