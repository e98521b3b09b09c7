/** Every host call besides those of the database. To add one: its file, and its line here. */
import { callAction, callMutation, callQuery } from "./child-calls.ts";
import { emit } from "./emit.ts";
import { fetchCall } from "./fetch.ts";
import { createFunctionHandle } from "./function-handles.ts";
import type { HostCall } from "./host-call.ts";
import { getUserIdentity } from "./identity.ts";
import { getDeploymentMetadata, getFunctionMetadata, getRequestMetadata, getTransactionMetrics } from "./metadata.ts";
import { notAvailable } from "./not-available.ts";
import { runUdf } from "./run-udf.ts";
import { saveArtefact } from "./save-artefact.ts";
import { cancelJob, cancelJobFromAction, schedule, scheduleFromAction } from "./schedule.ts";
import { beginValue, finishValue, readValue, writeValue } from "./values.ts";

const FILE_STORAGE = notAvailable("File storage");

const TABLE: ReadonlyMap<string, HostCall> = new Map(
  Object.entries({
    "1.0/runUdf": runUdf,
    "1.0/actions/query": callQuery,
    "1.0/actions/mutation": callMutation,
    "1.0/actions/action": callAction,
    "1.0/schedule": schedule,
    "1.0/actions/schedule": scheduleFromAction,
    "1.0/cancel_job": cancelJob,
    "1.0/actions/cancel_job": cancelJobFromAction,
    "1.0/createFunctionHandle": createFunctionHandle,
    "1.0/getUserIdentity": getUserIdentity,
    "1.0/getFunctionMetadata": getFunctionMetadata,
    "1.0/getDeploymentMetadata": getDeploymentMetadata,
    "1.0/getRequestMetadata": getRequestMetadata,
    "1.0/getTransactionMetrics": getTransactionMetrics,
    "plinth/fetch": fetchCall,
    "plinth/emit": emit,
    "plinth/saveArtefact": saveArtefact,
    "plinth/readValue": readValue,
    "plinth/beginValue": beginValue,
    "plinth/writeValue": writeValue,
    "plinth/finishValue": finishValue,
    "1.0/storageGetUrl": FILE_STORAGE,
    "1.0/storageGetMetadata": FILE_STORAGE,
    "1.0/storageDelete": FILE_STORAGE,
    "1.0/storageGenerateUploadUrl": FILE_STORAGE,
    "1.0/storageStore": FILE_STORAGE,
    "1.0/storageGet": FILE_STORAGE,
    "storage/storeBlob": FILE_STORAGE,
    "storage/getBlob": FILE_STORAGE,
    "1.0/actions/vectorSearch": notAvailable("Vector search"),
    "1.0/search": notAvailable("Text search"),
    "1.0/signJwt": notAvailable("Signing tokens"),
    "1.0/auditLog": notAvailable("The audit log"),
    "1.0/createServiceToken": notAvailable("The AI gateway"),
    "1.0/getServiceUrl": notAvailable("The AI gateway"),
  } satisfies Record<string, HostCall>),
);

export function hostCallOf(op: string): HostCall | undefined {
  return TABLE.get(op);
}
