/** The routes of the snap-in contract. */
import type { Route } from "../door.ts";
import { downloadArtifact, uploadArtifact } from "./artifacts.ts";
import { getCall, getInternalCall, getPublicCall, postCall, postInternalCall, postPublicCall } from "./facade.ts";
import { handleAsync, handleSync } from "./handle.ts";

export const SNAP_IN_ROUTES = {
  handleSync,
  handleAsync,
  uploadArtifact,
  downloadArtifact,
  getCall,
  postCall,
  getInternalCall,
  postInternalCall,
  getPublicCall,
  postPublicCall,
} as const satisfies Record<string, Route>;
