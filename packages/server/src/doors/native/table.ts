/** The routes of Plinth's own API. */
import { INBOUND_ROUTES } from "../inbound/table.ts";
import type { DocumentedRoute } from "../openapi/route-doc.ts";
import { backup } from "./backup.ts";
import { executeCode } from "./code.ts";
import { createBranch, deleteBranch, listBranches, listHeadSnapshots, rotateBranchKey } from "./branches.ts";
import { listCommands, runCommand } from "./commands.ts";
import { deploy } from "./deploy.ts";
import { getEnvironment, setEnvironment } from "./environment.ts";
import {
  discardDeadLetter,
  getDeadLetter,
  listDeadLetters,
  listWaiting,
  publishEvent,
  replayDeadLetter,
  unscheduleEvent,
} from "./events.ts";
import {
  answerFlowStep,
  cancelFlowRun,
  checkFlow,
  getFlow,
  getFlowAddress,
  getFlowLogs,
  getFlowRun,
  listFlowRuns,
  listFlows,
  pauseFlowRun,
  publishFlow,
  renewFlowAddress,
  resumeFlowRun,
  retryFlowRun,
  signalFlowRun,
  startFlow,
  switchFlow,
} from "./flows.ts";
import { getFlowBundle, uploadFlowBundle } from "./flow-bundles.ts";
import { getFlowHistory, getFlowValue } from "./flow-values.ts";
import { executeFunction, listFunctions, resolveFunction } from "./functions.ts";
import { cancelInvocation, getArtefact, getInvocation } from "./invocations.ts";
import {
  changeKeyring,
  createKeyring,
  finishOauth,
  getKeyring,
  listKeyrings,
  revokeKeyring,
  rotateKeyrings,
  startOauth,
} from "./keyrings.ts";
import { getLimits, getUsage, setLimits } from "./limits.ts";
import { createKey, listKeys, revokeKey } from "./keys.ts";
import { logs } from "./logs.ts";
import { activateOperation, deactivateOperation, executeOperation, getOperation, listOperations, operationSchema } from "./operations.ts";
import {
  activateSnapIn,
  configureSnapIn,
  deactivateSnapIn,
  getSnapIn,
  installSnapIn,
  listSnapIns,
  removeSnapIn,
  upgradeSnapIn,
  openSnapInUser,
  closeSnapInUser,
} from "./snap-ins.ts";
import { initializeSnapKit, runSnapKitAction } from "./snap-kit.ts";
import { openApiRoute } from "./openapi.ts";
import { health, metrics } from "./status.ts";
import {
  cancelSyncRun,
  chooseSyncUnit,
  createSyncUnit,
  getSyncArtefact,
  getSyncRun,
  getSyncUnit,
  listSyncArtefacts,
  listSyncImports,
  listSyncItems,
  listSyncUnits,
  removeSyncUnit,
  startSyncRun,
} from "./sync.ts";
import { changeTenant, createTenant, deleteTenant, listTenants } from "./tenants.ts";

import { diffPackage, getPackage, getPackageVersion, listPackages, promotePackage, rollbackPackage, uploadVersion } from "./packages.ts";

export const NATIVE_ROUTES = {
  listFunctions,
  resolveFunction,
  executeFunction,
  getInvocation,
  cancelInvocation,
  getArtefact,
  executeCode,
  deploy,
  uploadVersion,
  listPackages,
  getPackage,
  getPackageVersion,
  promotePackage,
  rollbackPackage,
  diffPackage,
  getEnvironment,
  setEnvironment,
  logs,
  listSnapIns,
  installSnapIn,
  getSnapIn,
  configureSnapIn,
  activateSnapIn,
  deactivateSnapIn,
  upgradeSnapIn,
  removeSnapIn,
  openSnapInUser,
  closeSnapInUser,
  publishEvent,
  unscheduleEvent,
  listWaiting,
  listDeadLetters,
  getDeadLetter,
  replayDeadLetter,
  discardDeadLetter,
  listOperations,
  getOperation,
  executeOperation,
  operationSchema,
  activateOperation,
  deactivateOperation,
  checkFlow,
  publishFlow,
  uploadFlowBundle,
  getFlowBundle,
  listFlows,
  getFlow,
  getFlowAddress,
  renewFlowAddress,
  switchFlow,
  startFlow,
  listFlowRuns,
  getFlowRun,
  getFlowHistory,
  getFlowLogs,
  getFlowValue,
  signalFlowRun,
  cancelFlowRun,
  pauseFlowRun,
  resumeFlowRun,
  retryFlowRun,
  answerFlowStep,
  listCommands,
  runCommand,
  runSnapKitAction,
  initializeSnapKit,
  listSyncImports,
  listSyncUnits,
  createSyncUnit,
  getSyncUnit,
  chooseSyncUnit,
  removeSyncUnit,
  startSyncRun,
  getSyncRun,
  cancelSyncRun,
  listSyncArtefacts,
  getSyncArtefact,
  listSyncItems,
  listTenants,
  createTenant,
  changeTenant,
  deleteTenant,
  listKeys,
  createKey,
  revokeKey,
  listKeyrings,
  createKeyring,
  getKeyring,
  changeKeyring,
  revokeKeyring,
  startOauth,
  finishOauth,
  rotateKeyrings,
  listBranches,
  createBranch,
  deleteBranch,
  rotateBranchKey,
  listHeadSnapshots,
  getLimits,
  setLimits,
  getUsage,
  health,
  metrics,
  backup,
  getOpenApi: openApiRoute((): Readonly<Record<string, DocumentedRoute>> => DOCUMENTED_ROUTES),
} as const satisfies Record<string, DocumentedRoute>;

/** What the OpenAPI document tells of: these, and those that the outside sends to. */
export const DOCUMENTED_ROUTES = { ...NATIVE_ROUTES, ...INBOUND_ROUTES } as const satisfies Record<string, DocumentedRoute>;
