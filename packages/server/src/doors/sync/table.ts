/** What extractors and loaders call in their runs. */
import type { Route } from "../door.ts";
import { confirmUpload, downloadFile, downloadUrl, uploadFile, uploadUrl } from "./artefacts.ts";
import { createMapper, getMapperByExternalId, getMapperByTarget, updateMapper } from "./mappers.ts";
import { createBlueprint, installMappings } from "./recipes.ts";
import { report } from "./report.ts";
import { getState, updateState } from "./state.ts";

export const SYNC_ROUTES = {
  report,
  getState,
  updateState,
  uploadUrl,
  uploadFile,
  confirmUpload,
  downloadUrl,
  downloadFile,
  getMapperByTarget,
  getMapperByExternalId,
  createMapper,
  updateMapper,
  createBlueprint,
  installMappings,
} as const satisfies Record<string, Route>;
