/**
 * The one registry of errors. Every error that crosses a module boundary or a door is made here, so
 * that it has the same code, status, exit code, fault and retry advice everywhere.
 * `docs/reference/errors.md` is generated from this file.
 *
 * - fault: who has to change something: the `caller`, the author of the `function`, or the `platform`.
 * - retry: `never` (the same call fails again), `later` (after a pause it may succeed),
 *   `automatic` (Plinth itself retries before it reports this).
 * - exitCode: 0 success, 1 runtime or syntax error, 2 timeout, 3 security violation, 4 validation
 *   error, 5 out of memory, 6 conflict, 7 platform failure.
 */
export type Fault = "caller" | "function" | "platform";
export type Retry = "never" | "later" | "automatic";

export interface ErrorSpec {
  readonly status: number;
  readonly grpc: string;
  readonly exitCode: number;
  readonly fault: Fault;
  readonly retry: Retry;
  /** What happened; `{name}` stands for a detail. */
  readonly message: string;
  /** What to do next. */
  readonly next: string;
}

const caller = { fault: "caller", retry: "never", exitCode: 4 } as const;
const userFunction = { fault: "function", retry: "never", exitCode: 1, status: 560, grpc: "INVALID_ARGUMENT" } as const;
const platform = { fault: "platform", retry: "later", exitCode: 7, status: 500, grpc: "INTERNAL" } as const;
const overload = { fault: "platform", retry: "later", exitCode: 7, status: 503, grpc: "UNAVAILABLE" } as const;

export const ERRORS = {
  // Requests.
  MalformedJson: {
    ...caller,
    status: 400,
    grpc: "INVALID_ARGUMENT",
    message: "The body is not valid JSON: {detail}.",
    next: "Send one JSON object, encoded as UTF-8.",
  },
  BadRequest: {
    ...caller,
    status: 400,
    grpc: "INVALID_ARGUMENT",
    message: "{detail}",
    next: "Correct the request; the reference of the endpoint lists its fields.",
  },
  RequestTooLarge: {
    ...caller,
    status: 413,
    grpc: "RESOURCE_EXHAUSTED",
    message: "The {what} has {actual} and may have {max}.",
    next: "Send less, or store the data and pass its id.",
  },
  TooDeep: {
    ...caller,
    status: 400,
    grpc: "INVALID_ARGUMENT",
    message: "The {what} is nested deeper than {max} levels.",
    next: "Flatten the value.",
  },
  TooManyValues: {
    ...caller,
    status: 413,
    grpc: "RESOURCE_EXHAUSTED",
    message: "The {what} holds more than {max} values.",
    next: "Send it in several calls, or store parts of it as one text or as bytes.",
  },
  InvalidValue: {
    ...caller,
    status: 400,
    grpc: "INVALID_ARGUMENT",
    message: "{detail}",
    next: "Values are null, booleans, numbers, strings, bytes, int64, arrays and plain objects; see the guide on values.",
  },
  Unauthenticated: {
    ...caller,
    status: 401,
    grpc: "UNAUTHENTICATED",
    message: "The key is missing, unknown, revoked or expired.",
    next: "Send a valid key as `Authorization: Bearer <key>`; `plinth keys create` makes one.",
  },
  Forbidden: {
    ...caller,
    status: 403,
    grpc: "PERMISSION_DENIED",
    message: "The key has no `{scope}` scope here.",
    next: "Use a key with that scope; `plinth keys list` shows what each may do.",
  },
  BranchAccessDenied: {
    ...caller,
    status: 403,
    grpc: "PERMISSION_DENIED",
    message: "Branch access denied",
    next: "Name a branch that exists and send its key as `X-Plinth-Branch-Key` (`--branch-key` of the command line); `plinth branches key` makes a new one.",
  },
  OriginRefused: {
    ...caller,
    status: 403,
    grpc: "PERMISSION_DENIED",
    message: "Pages of this origin may not call this.",
    next: "Name the origin in `--mcp-origins` of the host.",
  },
  NotFound: {
    ...caller,
    status: 404,
    grpc: "NOT_FOUND",
    message: "There is no {what}.",
    next: "Check the name; names are case-sensitive.",
  },
  FunctionNotFound: {
    ...caller,
    status: 404,
    grpc: "NOT_FOUND",
    message: "Could not find public function for '{path}'.",
    next: "Did you forget to deploy? `plinth deploy` pushes the functions folder; internal functions cannot be called from outside.",
  },
  HandlerNotFound: {
    ...caller,
    status: 404,
    grpc: "NOT_FOUND",
    message: "There is no function '{path}' on this branch for this caller.",
    next: "`plinth package list` shows the packages; functions of packages are called as @<package>/<function>, with an admin key.",
  },
  OperationNotFound: {
    ...caller,
    status: 404,
    grpc: "NOT_FOUND",
    message: "There is no operation '{name}' on this branch.",
    next: "`plinth operations list` shows those that there are; <namespace>/<slug> names one that shares its slug with others.",
  },
  OperationNotExecutable: {
    ...caller,
    status: 400,
    grpc: "FAILED_PRECONDITION",
    message: "The operation '{name}' cannot be executed: {detail}.",
    next: "Execute an action; triggers start flows and automations by themselves.",
  },
  OperationForbidden: {
    ...caller,
    status: 403,
    grpc: "PERMISSION_DENIED",
    message: "The operation '{name}' needs the scope `{scope}`, or an admin key.",
    next: "Give the scope to the service account or agent, or call a function of the app that does the same.",
  },
  PortUnknown: {
    ...caller,
    status: 400,
    grpc: "INVALID_ARGUMENT",
    message: "The operation '{name}' has no input port '{port}'.",
    next: "Its input ports are: {ports}.",
  },
  WrongFunctionKind: {
    ...caller,
    status: 400,
    grpc: "INVALID_ARGUMENT",
    message: "Trying to execute {path} as {wanted}, but it is defined as {actual}.",
    next: "Call it through the endpoint of its kind.",
  },
  ArgumentValidation: {
    ...caller,
    status: 400,
    grpc: "INVALID_ARGUMENT",
    message: "ArgumentValidationError: {detail}",
    next: "Send arguments that fit the function's validator.",
  },
  IdempotencyConflict: {
    ...caller,
    status: 409,
    grpc: "ALREADY_EXISTS",
    message: "The idempotency key '{key}' was used for another call.",
    next: "Use a new key for a new call.",
  },
  MethodNotAllowed: { ...caller, status: 405, grpc: "UNIMPLEMENTED", message: "{method} is not possible here.", next: "Use {allowed}." },
  SnapshotTooOld: {
    ...caller,
    status: 400,
    grpc: "OUT_OF_RANGE",
    message: "The moment {at} is no longer kept or not reached yet.",
    next: "Read a moment within the retention, or the latest state.",
  },
  FlowRunRefused: {
    ...caller,
    status: 409,
    grpc: "FAILED_PRECONDITION",
    message: "{detail}",
    next: "`plinth flow show <run>` says where a run stands; `plinth flow on <flow>` lets the runs of a flow that is off begin again.",
  },
  FlowVersionUnfit: {
    ...caller,
    status: 409,
    grpc: "FAILED_PRECONDITION",
    message: "The version does not fit the run: {detail}",
    next: "Publish a version that has these steps, or let the run end in its own; `plinth flow move --dry-run` says whether one fits.",
  },
  FlowHasRuns: {
    ...caller,
    status: 409,
    grpc: "FAILED_PRECONDITION",
    message: "The flow '{flow}' cannot be deleted: {count} of its runs have not ended.",
    next: "`plinth flow off {flow}` lets no more begin; `plinth flow bulk cancel --flow {flow} --status running waiting paused` ends them.",
  },
  FlowBeingDeleted: {
    ...caller,
    status: 409,
    grpc: "FAILED_PRECONDITION",
    message: "The flow '{flow}' is being deleted with its runs.",
    next: "Publish it again when they are gone, in a moment.",
  },
  FlowFiltered: {
    ...caller,
    status: 409,
    grpc: "FAILED_PRECONDITION",
    message: "The filter of the trigger of the flow '{flow}' says no; no run was started.",
    next: "Send what the filter lets pass, or change the filter.",
  },
  FlowFilterFailed: {
    ...caller,
    status: 400,
    grpc: "INVALID_ARGUMENT",
    message: "The filter of the flow's trigger fails: {detail}",
    next: "Correct the filter, or what it is given.",
  },
  FlowRunFailed: {
    ...userFunction,
    message: "The run {run} of the flow '{flow}' has {status}: {detail}",
    next: "`plinth flow logs {run}` shows what its steps did.",
  },
  FlowTooDeep: {
    ...caller,
    status: 400,
    grpc: "FAILED_PRECONDITION",
    message: "The flow '{flow}' cannot be run here: {max} runs lie above it already.",
    next: "Let a flow that runs itself come to an end, or use a loop.",
  },
  FlowCheckTooLong: {
    ...caller,
    status: 400,
    grpc: "DEADLINE_EXCEEDED",
    message: "The check of the flow took longer than {max} ms.",
    next: "Try again, or move code of the flow into functions or into flows of their own.",
  },
  AnswerRefused: {
    ...caller,
    status: 409,
    grpc: "FAILED_PRECONDITION",
    message: "The answer is refused: {detail}",
    next: "Answer each step once, before its time is over; `plinth flow runs` shows what waits.",
  },
  AlreadyExists: { ...caller, status: 409, grpc: "ALREADY_EXISTS", message: "{what} exists already.", next: "Choose another name." },
  RestoreTargetNotEmpty: {
    ...caller,
    status: 409,
    grpc: "FAILED_PRECONDITION",
    message: "The folder {folder} is not empty.",
    next: "A backup is restored into a new or an empty folder; choose another.",
  },
  InvalidBackup: {
    ...caller,
    status: 400,
    grpc: "INVALID_ARGUMENT",
    message: "The file {file} cannot be restored: {detail}.",
    next: "Use a file that `plinth backup` wrote.",
  },

  // Functions: the author's code is at fault. These are results, not failures of Plinth.
  FunctionError: { ...userFunction, message: "{detail}", next: "Read the stack; it points into the function's source." },
  ReturnsValidation: {
    ...userFunction,
    message: "ReturnsValidationError: {detail}",
    next: "Return a value that fits the `returns` validator.",
  },
  FunctionTimeout: {
    ...userFunction,
    exitCode: 2,
    grpc: "DEADLINE_EXCEEDED",
    message: "Function execution timed out (maximum duration: {max})",
    next: "Do less in one call, or use an action.",
  },
  FunctionOutOfMemory: {
    ...userFunction,
    exitCode: 5,
    grpc: "RESOURCE_EXHAUSTED",
    message: "JavaScript execution ran out of memory (maximum memory usage: {max})",
    next: "Keep less in memory; page through large results.",
  },
  FunctionNeverResolves: {
    ...userFunction,
    message: "Returned promise will never resolve",
    next: "Settle or return every promise that the function waits for.",
  },
  SecurityViolation: {
    ...userFunction,
    exitCode: 3,
    grpc: "PERMISSION_DENIED",
    message: "The code tried something that is not allowed: {detail}.",
    next: "Remove it; the attempt is recorded.",
  },
  PolicyViolation: {
    ...userFunction,
    exitCode: 3,
    grpc: "INVALID_ARGUMENT",
    message: "The code is refused: {detail}",
    next: "Do without it; docs/guide/inline-code.md lists what inline code may use.",
  },
  InvalidCode: {
    ...userFunction,
    exitCode: 4,
    grpc: "INVALID_ARGUMENT",
    message: "The code cannot be run: {detail}",
    next: "Correct the code or its settings.",
  },
  EffectDenied: {
    ...userFunction,
    exitCode: 3,
    grpc: "PERMISSION_DENIED",
    message: "{detail}",
    next: "Call only what this kind of function may call.",
  },
  LimitExceeded: {
    ...userFunction,
    grpc: "RESOURCE_EXHAUSTED",
    message: "{what}: {actual} is over the limit of {max}.",
    next: "Do less in one call; the limits page says what each is for.",
  },
  LoopDetected: {
    ...userFunction,
    status: 508,
    grpc: "FAILED_PRECONDITION",
    message: "Code of the tenant answers to what it caused itself: {depth} events and calls have caused each other, and {max} may.",
    next: "Let the automation leave alone what it changed itself, by a filter on its event source or by a look before it writes.",
  },
  InvalidArgument: { ...userFunction, message: "{detail}", next: "Correct the call in the function." },
  SchemaViolation: {
    ...userFunction,
    message: 'Failed to insert or update a document in table "{table}" because it does not match the schema: {detail}',
    next: "Write a document that fits the table's validator, or change the schema.",
  },
  FetchRefused: {
    ...userFunction,
    exitCode: 3,
    grpc: "PERMISSION_DENIED",
    message: "fetch to {url} is refused: {detail}.",
    next: "Actions reach the public internet only; an operator can allow more in the configuration.",
  },
  FetchFailed: {
    ...userFunction,
    retry: "later",
    grpc: "UNAVAILABLE",
    message: "fetch to {url} failed: {detail}.",
    next: "Try again, or check the address.",
  },
  AiRefused: {
    ...userFunction,
    message: "The model's endpoint does not accept the request: {detail}.",
    next: "Check provider, base_url, model and the keyring with the key.",
  },
  AiUnavailable: {
    ...userFunction,
    retry: "later",
    grpc: "UNAVAILABLE",
    message: "The model's endpoint cannot answer: {detail}.",
    next: "Try again later.",
  },
  AiAnswerInvalid: {
    ...userFunction,
    retry: "later",
    message: "The model's answer cannot be used: {detail}.",
    next: "Try again, simplify the schema, or use another model.",
  },
  // Keyrings.
  KeyringTypeWrong: {
    ...caller,
    status: 400,
    grpc: "FAILED_PRECONDITION",
    message: "The keyring type cannot be used: {detail}.",
    next: "Correct the keyring type in the manifest, or the values of its fields.",
  },
  KeyringRefused: {
    ...caller,
    status: 422,
    grpc: "FAILED_PRECONDITION",
    message: "The other system does not accept the keyring '{name}': {detail}.",
    next: "Check the secret there, or sign in again.",
  },
  KeyringExpired: {
    ...caller,
    status: 409,
    grpc: "FAILED_PRECONDITION",
    message: "The keyring '{name}' has expired and cannot be refreshed.",
    next: "Connect it again: `plinth keyrings connect`.",
  },
  KeyringUnavailable: { ...overload, message: "The other system of a keyring cannot be asked: {detail}.", next: "Try again later." },
  KeyringKeyMissing: {
    ...platform,
    retry: "never",
    message: "A keyring is encrypted under the key {keyId}, which this host does not have.",
    next: "Add that key to PLINTH_KEYRING_KEY or to the keyring-key file; without it the keyring has to be created again.",
  },
  KeyringUnreadable: {
    ...platform,
    retry: "never",
    message: "The keyring {id} cannot be decrypted with the key {keyId}: what is stored was changed, or belongs to another place.",
    next: "Delete it and create it again.",
  },
  NotAvailable: {
    ...userFunction,
    grpc: "UNIMPLEMENTED",
    message: "{what} is not available on this host.",
    next: "Read the compatibility page for what is.",
  },

  ToolFailed: {
    ...caller,
    status: 400,
    grpc: "INVALID_ARGUMENT",
    message: "{tool} fails: {detail}",
    next: "Correct the text that it was given.",
  },

  // Webhooks and emails.
  WebhookRefused: {
    ...caller,
    status: 403,
    grpc: "PERMISSION_DENIED",
    message: "The policy of this webhook does not take the request.",
    next: "Check the signature and the body; the package that declares the webhook says what it takes.",
  },
  WebhookFailed: {
    ...userFunction,
    status: 502,
    grpc: "INTERNAL",
    message: "The policy of this webhook fails.",
    next: "The host's log says why; the author of the package corrects the policy.",
  },
  EmailRefused: {
    ...caller,
    status: 422,
    grpc: "INVALID_ARGUMENT",
    message: "The email is not taken: {detail}.",
    next: "Send it from an address that the event source allows, as a complete message.",
  },

  // Deploys.
  InvalidPackage: {
    ...caller,
    status: 400,
    grpc: "INVALID_ARGUMENT",
    message: "The package cannot be deployed: {detail}",
    next: "Correct it and deploy again; the old version still serves.",
  },
  InvalidBundle: {
    ...caller,
    status: 400,
    grpc: "INVALID_ARGUMENT",
    message: "The packages of a flow cannot be used: {detail}",
    next: "Name others, or other versions of them, and publish again with `plinth flow publish`; nothing was published.",
  },
  HookRefused: {
    ...caller,
    status: 400,
    grpc: "FAILED_PRECONDITION",
    message: "The {hook} hook of the package refused: {detail}",
    next: "Change what it complains about and try again; everything is as it was before.",
  },
  HookFailed: {
    ...caller,
    status: 400,
    grpc: "FAILED_PRECONDITION",
    message: "The {hook} hook of the package did not end: {detail}",
    next: "Try again; everything is as it was before.",
  },
  InvalidInputs: {
    ...caller,
    status: 400,
    grpc: "INVALID_ARGUMENT",
    message: "The input {name} {detail}.",
    next: "Set it as the package's manifest describes it.",
  },
  KeyringMissing: {
    ...caller,
    status: 400,
    grpc: "FAILED_PRECONDITION",
    message: "The package needs the keyring '{name}', and there is no active keyring '{keyring}'.",
    next: "Create it with `plinth keyrings create`, or bind another one to the name.",
  },
  UpgradeRefused: {
    ...caller,
    status: 400,
    grpc: "FAILED_PRECONDITION",
    message: "The snap-in cannot move to this version: {detail}.",
    next: "Remove the snap-in and install the version anew, or change the manifest.",
  },
  SagaInProgress: {
    ...caller,
    status: 409,
    grpc: "ABORTED",
    retry: "later",
    message: "The snap-in cannot be changed now: {detail}.",
    next: "Wait until it is done and try again.",
  },
  WrongState: {
    ...caller,
    status: 409,
    grpc: "FAILED_PRECONDITION",
    message: "The {what} is {state}; this can only be done while it is {wanted}.",
    next: "`plinth snap-ins show` says more about it.",
  },
  SyncReportStale: {
    ...caller,
    status: 409,
    grpc: "FAILED_PRECONDITION",
    message: "This report is refused: {detail}.",
    next: "Each call of a sync run reports once, to the URL of its own event.",
  },
  SyncRunEnded: {
    ...caller,
    status: 409,
    grpc: "FAILED_PRECONDITION",
    message: "The sync run is {state}; it takes nothing any more.",
    next: "Start another run.",
  },
  SyncInProgress: {
    ...caller,
    status: 409,
    grpc: "FAILED_PRECONDITION",
    message: "A run of this sync unit goes on: {run}.",
    next: "Wait for its end, or cancel it with `plinth sync cancel`.",
  },
  SyncItemMapped: {
    ...caller,
    status: 409,
    grpc: "ALREADY_EXISTS",
    message: "The {side} item '{item}' belongs to the mapping {mapping} already.",
    next: "Read that mapping and update it, or take the item out of it first.",
  },
  SchemaMismatch: {
    ...caller,
    status: 400,
    grpc: "FAILED_PRECONDITION",
    message: "The schema does not fit the data that is stored: {detail}",
    next: "Change the documents first, or make the validator accept them.",
  },

  VersionCollected: {
    ...caller,
    status: 410,
    grpc: "FAILED_PRECONDITION",
    message: "The version {version} of {package} was collected, because nothing referred to it for long.",
    next: "Upload its archive again, or choose a version that the ledger shows as stored.",
  },

  // The platform.
  OptimisticConcurrencyControlFailure: {
    ...overload,
    exitCode: 6,
    grpc: "ABORTED",
    retry: "automatic",
    message: 'Documents that "{path}" read were changed while it ran and on every retry ({attempts} attempts).',
    next: "Try again; let calls that run together write different documents.",
  },
  TooManyConcurrentRequests: {
    ...overload,
    status: 429,
    grpc: "RESOURCE_EXHAUSTED",
    message: "The queue is full: {detail}.",
    next: "Try again after a pause; the operator can raise the limit.",
  },
  RateLimited: {
    ...overload,
    status: 429,
    grpc: "RESOURCE_EXHAUSTED",
    message: "More than {perSecond} calls a second of {what}; there is room in {waitMs} ms.",
    next: "Wait that long; stored calls wait by themselves. `plinth limits` shows and changes the rate.",
  },
  WebhookUndelivered: {
    ...overload,
    status: 502,
    message: "The webhook's address did not take the event: {detail}.",
    next: "Look at what answers there; `webhooks.update` changes the address, and dead letters can be replayed.",
  },
  TooManyEventsWaiting: {
    ...overload,
    status: 429,
    grpc: "RESOURCE_EXHAUSTED",
    message: "{count} events of this branch wait for their automations, and {max} may; try again in {waitMs} ms.",
    next: "`plinth events waiting` shows which automations are behind; make them faster, or deactivate what is not needed.",
  },
  BudgetExceeded: {
    ...caller,
    status: 402,
    grpc: "RESOURCE_EXHAUSTED",
    message: "The tenant's budget of this {period} is spent; calls are taken again from {until} on.",
    next: "`plinth usage` shows what was spent; the operator can raise the budget with `plinth limits`.",
  },
  ExpiredInQueue: {
    ...overload,
    message: "The call waited longer than {maxMs} ms for a place: {reason}.",
    next: "Try again after a pause.",
  },
  DeadlineExceeded: {
    ...caller,
    status: 504,
    grpc: "DEADLINE_EXCEEDED",
    exitCode: 2,
    retry: "later",
    message: "The call did not end within the {maxMs} ms that its caller gave it.",
    next: "Give it more time, or run it asynchronously.",
  },
  Cancelled: {
    ...caller,
    status: 499,
    grpc: "CANCELLED",
    exitCode: 1,
    message: "The call was cancelled: {detail}.",
    next: "Call again when the result is still wanted.",
  },
  RunnerLost: {
    ...overload,
    message: "The process that ran the code was lost: {detail}.",
    next: "Try again; an action may have had part of its effects.",
  },
  StaleLease: {
    ...platform,
    status: 409,
    grpc: "ABORTED",
    message: "The work was given to another owner meanwhile.",
    next: "Nothing; the other owner finishes it.",
  },
  ShuttingDown: { ...overload, message: "The host is shutting down.", next: "Try again on another host or after the restart." },
  StoreFailure: { ...platform, message: "The store could not {what}.", next: "Look at the host's log and the disk." },
  DataFolderLocked: {
    ...platform,
    retry: "never",
    message: "Another host (process {pid}) uses the data folder {folder}.",
    next: "Stop it, or choose another folder with PLINTH_DATA_DIR.",
  },
  DataFolderUnusable: {
    ...platform,
    retry: "never",
    message: "The data folder {folder} cannot be used: {detail}.",
    next: "Make it writable for this user, or choose another with PLINTH_DATA_DIR.",
  },
  BadConfiguration: {
    ...platform,
    retry: "never",
    exitCode: 4,
    message: "The configuration is wrong: {detail}.",
    next: "Correct it; docs/reference/configuration.md lists every setting.",
  },
  IsolationTooWeak: {
    ...platform,
    status: 409,
    grpc: "FAILED_PRECONDITION",
    retry: "never",
    message: "This host may serve one tenant only, because its isolation is tier {tier}.",
    next: "Run `plinth doctor`; it says what is missing for tier 2.",
  },
  PortTaken: {
    ...platform,
    retry: "never",
    message: "Port {port} on {address} is taken.",
    next: "Stop what listens there, or choose another with PLINTH_PORT.",
  },
  JailMissing: { ...platform, retry: "never", message: "No jail can be built here: {detail}.", next: "{next}" },
  InternalError: {
    ...platform,
    message: "An internal error happened (id {id}).",
    next: "Report it with the id; details are in the host's log.",
  },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

type Params<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Params<Rest> : never;
export type ErrorDetails<Code extends ErrorCode> = {
  readonly [Name in Params<(typeof ERRORS)[Code]["message"]> | Params<(typeof ERRORS)[Code]["next"]>]: string | number;
};

/** An error of the registry. `dataText` is the convex JSON of a `ConvexError` that user code threw. */
export class PlinthError extends Error {
  override name = "PlinthError";
  readonly code: ErrorCode;
  readonly spec: ErrorSpec;
  readonly next: string;
  /** When another try may succeed, where that is known. */
  readonly waitMs: number | undefined;
  dataText: string | undefined;

  constructor(code: ErrorCode, details: Readonly<Record<string, string | number>>, options?: { cause?: unknown; dataText?: string }) {
    super(fill(ERRORS[code].message, details), options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.spec = ERRORS[code];
    this.next = fill(this.spec.next, details);
    this.waitMs = typeof details["waitMs"] === "number" ? details["waitMs"] : undefined;
    this.dataText = options?.dataText;
  }
}

/** Makes an error of the registry; the compiler asks for the details that its message names. */
export function plinthError<Code extends ErrorCode>(
  code: Code,
  details: ErrorDetails<Code>,
  options?: { cause?: unknown; dataText?: string },
): PlinthError {
  return new PlinthError(code, details, options);
}

function fill(template: string, details: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => String(details[name] ?? `{${name}}`));
}
