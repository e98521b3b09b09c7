/** What is written about the routes of packages. */
import { json, jsonBody, jsonOrEvents, optionalJsonBody, type RouteDoc } from "../openapi/route-doc.ts";
import { anything, choice, closed, flag, list, mapOf, moment, named, number, open, orNull, text, whole } from "../openapi/schema.ts";
import { progressEvents, RUNTIME } from "../openapi/schemas.ts";

const VERSION = text("sha-256 of the archive in hexadecimal.");
const NAME = { name: text("Name of the package.") };
const NOTE = text("For the ledger.");
const ARCHIVE = text("The archive.", { contentEncoding: "binary" });

const FINDING = closed({
  severity: choice(["error", "warning"]),
  path: text("Where in the manifest: `functions[2].name`."),
  line: whole(),
  message: text(),
});

const UPLOADED = named(
  "PackageUpload",
  closed({
    package: text(),
    version: VERSION,
    runtime: RUNTIME,
    changed: flag("False when the head stood there already."),
    functions: list(text()),
    findings: list(FINDING, "Warnings."),
    archiveBytes: whole(),
    files: whole(),
    timings: mapOf(number(), "Milliseconds by step."),
  }),
);

const LEDGER_ENTRY = named(
  "PackageLedgerEntry",
  closed({
    seq: whole(),
    version: VERSION,
    parent: orNull(text("The version before.")),
    atMs: moment(),
    by: text("Id of a key, or `admin`."),
    note: orNull(NOTE),
    cause: choice(["upload", "promote", "rollback"], "What moved the head."),
    stored: flag("Whether the version can still be promoted."),
  }),
);

const STORED = named(
  "PackageVersion",
  closed({
    package: text(),
    version: VERSION,
    runtime: RUNTIME,
    manifest: mapOf(anything(), "The manifest as it was read."),
    functions: list(text()),
    createdMs: moment(),
  }),
);

const DIFF = named(
  "PackageDiff",
  closed({
    from: VERSION,
    to: VERSION,
    filesAdded: list(text()),
    filesRemoved: list(text()),
    filesChanged: list(text()),
    functionsAdded: list(text()),
    functionsRemoved: list(text()),
    manifest: text("Unified diff of manifest.yaml; empty when it is the same."),
  }),
);

const TRUE_OR_FALSE = ["true", "false"];

export const PACKAGE_DOCS = {
  uploadVersion: {
    summary: "Upload a version",
    tag: "Packages",
    path: NAME,
    query: {
      note: NOTE,
      dryRun: choice(TRUE_OR_FALSE, "Checks everything and changes nothing."),
      promote: choice(TRUE_OR_FALSE, "Moves the head of the branch to the version; `true` when absent."),
    },
    body: {
      required: true,
      content: {
        "application/gzip": ARCHIVE,
        "application/x-tar": ARCHIVE,
        "application/zstd": ARCHIVE,
        "application/octet-stream": ARCHIVE,
      },
    },
    answers: { 200: jsonOrEvents(UPLOADED, progressEvents(UPLOADED)) },
    errors: ["InvalidPackage", "Cancelled", "LimitExceeded", "NotAvailable"],
  },
  listPackages: {
    summary: "List packages",
    tag: "Packages",
    answers: {
      200: json(
        closed({
          packages: list(
            named(
              "Package",
              closed({
                name: text(),
                version: VERSION,
                seq: whole("Number of the last entry of the ledger."),
                deployedMs: moment(),
                runtime: RUNTIME,
              }),
            ),
          ),
        }),
      ),
    },
  },
  getPackage: {
    summary: "Read the ledger of a package",
    tag: "Packages",
    path: NAME,
    answers: { 200: json(closed({ name: text(), version: VERSION, ledger: list(LEDGER_ENTRY, "The latest entry first.") })) },
    errors: ["NotFound"],
  },
  getPackageVersion: {
    summary: "Read a version",
    tag: "Packages",
    path: { ...NAME, version: text("The digest, or 8 or more of its first digits.") },
    answers: { 200: json(STORED) },
    errors: ["NotFound"],
  },
  promotePackage: {
    summary: "Move the head to a version",
    tag: "Packages",
    path: NAME,
    body: jsonBody(
      open({
        version: text(),
        "fromBranch?": orNull(text("The branch that has the version.")),
        "fromBranchKey?": orNull(text("Key of that branch.")),
        "note?": orNull(NOTE),
      }),
    ),
    answers: { 200: json(LEDGER_ENTRY) },
    errors: ["NotFound", "VersionCollected", "InvalidPackage"],
  },
  rollbackPackage: {
    summary: "Move the head back",
    tag: "Packages",
    path: NAME,
    body: optionalJsonBody(open({ "version?": orNull(text("The version before when absent.")), "note?": orNull(NOTE) })),
    answers: { 200: json(LEDGER_ENTRY) },
    errors: ["NotFound", "VersionCollected", "InvalidPackage"],
  },
  diffPackage: {
    summary: "Compare two versions",
    tag: "Packages",
    path: NAME,
    query: { "from!": text(), "to!": text() },
    answers: { 200: json(DIFF) },
    errors: ["NotFound"],
  },
} as const satisfies Record<string, RouteDoc>;
