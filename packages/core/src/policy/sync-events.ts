/**
 * Names of the events between the host and extractors or loaders. There are two families of names: the first ones, and those that
 * replaced them. A package is told the one that its library knows; what it reports is understood in both.
 */

/** What one invocation does. `delete…` lets the package tidy its state before the host forgets it. */
export type SyncPhase =
  | "externalUnits"
  | "metadata"
  | "data"
  | "attachments"
  | "loadData"
  | "loadAttachments"
  | "deleteData"
  | "deleteAttachments"
  | "deleteLoadedData"
  | "deleteLoadedAttachments";

export type SyncEventFamily = "old" | "new";

export type SyncResult = "done" | "progress" | "delayed" | "error";

interface PhaseNames {
  readonly start: Readonly<Record<SyncEventFamily, string>>;
  /** Null where a phase is one invocation. */
  readonly resume: Readonly<Record<SyncEventFamily, string>> | null;
  /** What reports begin with, in both families. */
  readonly reports: readonly string[];
}

const both = (name: string) => ({ old: name, new: name });

export const SYNC_PHASES: Readonly<Record<SyncPhase, PhaseNames>> = {
  externalUnits: {
    start: { old: "EXTRACTION_EXTERNAL_SYNC_UNITS_START", new: "START_EXTRACTING_EXTERNAL_SYNC_UNITS" },
    resume: null,
    reports: ["EXTRACTION_EXTERNAL_SYNC_UNITS", "EXTERNAL_SYNC_UNIT_EXTRACTION"],
  },
  metadata: {
    start: { old: "EXTRACTION_METADATA_START", new: "START_EXTRACTING_METADATA" },
    resume: null,
    reports: ["EXTRACTION_METADATA", "METADATA_EXTRACTION"],
  },
  data: {
    start: { old: "EXTRACTION_DATA_START", new: "START_EXTRACTING_DATA" },
    resume: { old: "EXTRACTION_DATA_CONTINUE", new: "CONTINUE_EXTRACTING_DATA" },
    reports: ["EXTRACTION_DATA", "DATA_EXTRACTION"],
  },
  attachments: {
    start: { old: "EXTRACTION_ATTACHMENTS_START", new: "START_EXTRACTING_ATTACHMENTS" },
    resume: { old: "EXTRACTION_ATTACHMENTS_CONTINUE", new: "CONTINUE_EXTRACTING_ATTACHMENTS" },
    reports: ["EXTRACTION_ATTACHMENTS", "ATTACHMENT_EXTRACTION"],
  },
  loadData: { start: both("START_LOADING_DATA"), resume: both("CONTINUE_LOADING_DATA"), reports: ["DATA_LOADING"] },
  loadAttachments: {
    start: both("START_LOADING_ATTACHMENTS"),
    resume: both("CONTINUE_LOADING_ATTACHMENTS"),
    reports: ["ATTACHMENT_LOADING"],
  },
  deleteData: {
    start: { old: "EXTRACTION_DATA_DELETE", new: "START_DELETING_EXTRACTOR_STATE" },
    resume: null,
    reports: ["EXTRACTION_DATA_DELETE", "EXTRACTOR_STATE_DELETION"],
  },
  deleteAttachments: {
    start: { old: "EXTRACTION_ATTACHMENTS_DELETE", new: "START_DELETING_EXTRACTOR_ATTACHMENTS_STATE" },
    resume: null,
    reports: ["EXTRACTION_ATTACHMENTS_DELETE", "EXTRACTOR_ATTACHMENTS_STATE_DELETION"],
  },
  deleteLoadedData: { start: both("START_DELETING_LOADER_STATE"), resume: null, reports: ["LOADER_STATE_DELETION"] },
  deleteLoadedAttachments: {
    start: both("START_DELETING_LOADER_ATTACHMENT_STATE"),
    resume: null,
    reports: ["LOADER_ATTACHMENT_STATE_DELETION"],
  },
};

const SUFFIXES: Readonly<Record<string, SyncResult>> = {
  _DONE: "done",
  _ERROR: "error",
  _PROGRESS: "progress",
  _DELAYED: "delayed",
  _DELAY: "delayed",
};

/** Name of the event that an invocation gets. */
export function syncEventName(phase: SyncPhase, family: SyncEventFamily, resumed: boolean): string {
  const names = SYNC_PHASES[phase];
  return (resumed ? (names.resume ?? names.start) : names.start)[family];
}

/** What an event of the callback says; undefined for a name of neither family. */
export function readSyncReport(eventType: string): { readonly phase: SyncPhase; readonly result: SyncResult } | undefined {
  const at = eventType.lastIndexOf("_");
  const result = Object.hasOwn(SUFFIXES, eventType.slice(at)) ? SUFFIXES[eventType.slice(at)] : undefined;
  if (result === undefined) return undefined;
  const phase = PHASE_OF_REPORT.get(eventType.slice(0, at));
  return phase === undefined ? undefined : { phase, result };
}

const PHASE_OF_REPORT: ReadonlyMap<string, SyncPhase> = new Map(
  (Object.keys(SYNC_PHASES) as SyncPhase[]).flatMap((phase) => SYNC_PHASES[phase].reports.map((name) => [name, phase] as const)),
);
