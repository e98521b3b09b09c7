/**
 * The configuration of a host: one declarative table from which environment names, command-line flags,
 * checks and the reference page are made. This is the only file that reads `process.env`. A flag wins over
 * the environment, and the environment over the default.
 */
import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";

interface SettingBase {
  readonly env: string;
  /** Also the name on the command line, after `--`. */
  readonly flag: string;
  readonly description: string;
  /** How the default reads on the reference page when it is not a plain value. */
  readonly defaultText?: string;
}
interface TextSetting<T> extends SettingBase {
  readonly kind: "text";
  readonly default: T;
  readonly pattern?: RegExp;
  readonly shape?: string;
}
interface NumberSetting<T> extends SettingBase {
  readonly kind: "number";
  readonly default: T;
  readonly min: number;
  readonly max: number;
  readonly unit?: string;
}
interface FlagSetting extends SettingBase {
  readonly kind: "flag";
  readonly default: boolean;
}
interface ChoiceSetting<T extends string> extends SettingBase {
  readonly kind: "choice";
  readonly choices: readonly T[];
  readonly default: T;
}
interface ListSetting extends SettingBase {
  readonly kind: "list";
  readonly default: readonly string[];
  readonly pattern: RegExp;
  readonly shape: string;
}
export type Setting = TextSetting<string | null> | NumberSetting<number | null> | FlagSetting | ChoiceSetting<string> | ListSetting;

const text = <T extends string | null>(setting: Omit<TextSetting<T>, "kind">): TextSetting<T> => ({ kind: "text", ...setting });
const number = <T extends number | null>(setting: Omit<NumberSetting<T>, "kind">): NumberSetting<T> => ({ kind: "number", ...setting });
const flag = (setting: Omit<FlagSetting, "kind">): FlagSetting => ({ kind: "flag", ...setting });
const choice = <const T extends string>(setting: Omit<ChoiceSetting<T>, "kind">): ChoiceSetting<T> => ({ kind: "choice", ...setting });
const list = (setting: Omit<ListSetting, "kind">): ListSetting => ({ kind: "list", ...setting });

const URL_PATTERN = /^https?:\/\/[^\s/]+(\/[^\s]*)?$/;
const portRange = { min: 0, max: 65_535 } as const;

export const SETTINGS = {
  dataDir: text<string>({
    env: "PLINTH_DATA_DIR",
    flag: "data-dir",
    default: ".plinth",
    description: "Folder of the store, the admin key and backups. One host at a time uses it.",
  }),
  address: text<string>({
    env: "PLINTH_ADDRESS",
    flag: "address",
    default: "127.0.0.1",
    pattern: /^[0-9A-Za-z.:_-]+$/,
    shape: "an address or host name",
    description: "Address that both ports listen on.",
  }),
  port: number<number>({
    env: "PLINTH_PORT",
    flag: "port",
    default: 3210,
    ...portRange,
    description: "Port of the API; 0 lets the system choose.",
  }),
  httpActionsPort: number<number>({
    env: "PLINTH_HTTP_ACTIONS_PORT",
    flag: "http-actions-port",
    default: 3211,
    ...portRange,
    description: "Port of the HTTP actions' own origin; 0 lets the system choose.",
  }),
  grpcPort: number<number | null>({
    env: "PLINTH_GRPC_PORT",
    flag: "grpc-port",
    default: null,
    defaultText: "none: no gRPC",
    ...portRange,
    description: "Port of gRPC, which is HTTP/2 without TLS; 0 lets the system choose.",
  }),
  smtpPort: number<number | null>({
    env: "PLINTH_SMTP_PORT",
    flag: "smtp-port",
    default: null,
    defaultText: "none: no SMTP",
    ...portRange,
    description: "Port that takes emails for event sources over SMTP, without TLS; 0 lets the system choose.",
  }),
  smtpDomain: text<string | null>({
    env: "PLINTH_SMTP_DOMAIN",
    flag: "smtp-domain",
    default: null,
    defaultText: "the host of the public URL",
    pattern: /^[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?$/i,
    shape: "a domain name",
    description: "Domain of the addresses of event sources, which the mail exchanger of that domain delivers to the SMTP port.",
  }),
  publicUrl: text<string | null>({
    env: "PLINTH_PUBLIC_URL",
    flag: "public-url",
    default: null,
    defaultText: "from address and port",
    pattern: URL_PATTERN,
    shape: "an http or https URL",
    description: "URL under which clients reach the API, for example behind a proxy. Functions see it as CONVEX_CLOUD_URL.",
  }),
  publicSiteUrl: text<string | null>({
    env: "PLINTH_PUBLIC_SITE_URL",
    flag: "public-site-url",
    default: null,
    defaultText: "from address and port",
    pattern: URL_PATTERN,
    shape: "an http or https URL",
    description: "URL under which HTTP actions are reached. Functions see it as CONVEX_SITE_URL.",
  }),
  adminKey: text<string | null>({
    env: "PLINTH_ADMIN_KEY",
    flag: "admin-key",
    default: null,
    defaultText: "made at the first start and kept in the data folder",
    // What begins like the key of a tenant is looked up as one.
    pattern: /^(?!plk_)[\x21-\x39\x3b-\x7e]{16,256}$/,
    shape: "16 to 256 printable characters without space and colon, not beginning with `plk_`",
    description: "Key that may do everything on this host.",
  }),
  keyringKey: text<string | null>({
    env: "PLINTH_KEYRING_KEY",
    flag: "keyring-key",
    default: null,
    defaultText: "made at the first start and kept in the data folder",
    pattern: /^[A-Za-z0-9+/=_,\s-]+$/,
    shape: "keys of 32 bytes in hexadecimal or base64, separated by commas",
    description:
      "Keys that keyrings are encrypted under: the first encrypts, all decrypt. On a command line others see it; prefer the file.",
  }),
  keyringKeyFile: text<string | null>({
    env: "PLINTH_KEYRING_KEY_FILE",
    flag: "keyring-key-file",
    default: null,
    description: "File that holds these keys, one on each line or separated by commas.",
  }),
  instanceName: text<string>({
    env: "PLINTH_INSTANCE_NAME",
    flag: "instance-name",
    default: "plinth",
    pattern: /^[a-z0-9][a-z0-9-]{0,62}$/,
    shape: "lower-case letters, digits and hyphens",
    description: "Name that `/instance_name` answers.",
  }),
  warmRunners: number<number>({
    env: "PLINTH_WARM_RUNNERS",
    flag: "warm-runners",
    default: 2,
    min: 0,
    max: 64,
    description: "Jailed runners that are kept ready for tenants that come next.",
  }),
  warmInline: number<number>({
    env: "PLINTH_WARM_INLINE",
    flag: "warm-inline",
    default: 1,
    min: 0,
    max: 16,
    description: "Processes that are kept ready for inline code, for each runtime once it was used.",
  }),
  sandbox: choice({
    env: "PLINTH_SANDBOX",
    flag: "sandbox",
    choices: ["process", "container"],
    default: "process",
    description:
      "Where packages and inline code run: in process jails or in containers. Functions in isolates run in process jails always.",
  }),
  containerEngine: text<string | null>({
    env: "PLINTH_CONTAINER_ENGINE",
    flag: "container-engine",
    default: null,
    defaultText: "the socket of Docker, or else of podman",
    pattern: /^(unix:\/\/\/|tcp:\/\/|http:\/\/)[^\s]+$/,
    shape: "unix:///path or tcp://host:port",
    description: "Engine that answers the Docker API, for `container`. Who may use it is root of its machine: give it to nobody else.",
  }),
  containerRuntime: text<string | null>({
    env: "PLINTH_CONTAINER_RUNTIME",
    flag: "container-runtime",
    default: null,
    defaultText: "what the engine takes by itself",
    pattern: /^[A-Za-z0-9/][A-Za-z0-9._/-]*$/,
    shape: "the name of an OCI runtime",
    description: "OCI runtime of containers, such as `runc`, or `runsc` for gVisor.",
  }),
  python: text<string | null>({
    env: "PLINTH_PYTHON",
    flag: "python",
    default: null,
    defaultText: "the newest `/usr/bin/python3.x` from 3.11 on",
    pattern: /^\//,
    shape: "an absolute path",
    description: "CPython that runs Python code. All users must be able to reach it and its standard library.",
  }),
  runnersMax: number<number | null>({
    env: "PLINTH_RUNNERS_MAX",
    flag: "runners-max",
    default: null,
    defaultText: "from the memory budget",
    min: 1,
    max: 4096,
    description: "Runners of all tenants together.",
  }),
  memoryBudgetMiB: number<number>({
    env: "PLINTH_MEMORY_BUDGET_MIB",
    flag: "memory-budget-mib",
    default: 2048,
    min: 128,
    max: 1_048_576,
    unit: "MiB",
    description: "Memory of all runners together; the least recently used idle ones are stopped first.",
  }),
  versionsFolder: text<string | null>({
    env: "PLINTH_VERSIONS_FOLDER",
    flag: "versions-folder",
    default: null,
    defaultText: "`/var/lib/plinth/versions` for root, else below `~/.cache/plinth`",
    description: "Where files of packages are unpacked for the jails. Their users must be able to reach it.",
  }),
  unsafeNoJail: flag({
    env: "PLINTH_UNSAFE_NO_JAIL",
    flag: "unsafe-no-jail",
    default: false,
    description: "Run user code without a jail (tier 0). For development on a machine that can build none; never with code of others.",
  }),
  historyRetentionHours: number<number>({
    env: "PLINTH_HISTORY_RETENTION_HOURS",
    flag: "history-retention-hours",
    default: limit("historyRetentionMs") / 3_600_000,
    min: 0,
    max: 24 * 365,
    unit: "h",
    description: "How long replaced values stay readable.",
  }),
  invocationRetentionHours: number<number>({
    env: "PLINTH_INVOCATION_RETENTION_HOURS",
    flag: "invocation-retention-hours",
    default: limit("invocationRetentionMs") / 3_600_000,
    min: 1,
    max: 24 * 365,
    unit: "h",
    description: "How long records of invocations are kept.",
  }),
  queriesPerTenant: number<number>({
    env: "PLINTH_QUERIES_PER_TENANT",
    flag: "queries-per-tenant",
    default: limit("queriesPerTenantMax"),
    min: 1,
    max: 10_000,
    description: "Queries of one tenant that run at the same time.",
  }),
  mutationsPerTenant: number<number>({
    env: "PLINTH_MUTATIONS_PER_TENANT",
    flag: "mutations-per-tenant",
    default: limit("mutationsPerTenantMax"),
    min: 1,
    max: 10_000,
    description: "Mutations of one tenant that run at the same time.",
  }),
  actionsPerTenant: number<number>({
    env: "PLINTH_ACTIONS_PER_TENANT",
    flag: "actions-per-tenant",
    default: limit("actionsPerTenantMax"),
    min: 1,
    max: 10_000,
    description: "Actions of one tenant that run at the same time.",
  }),
  userCpuMs: number<number>({
    env: "PLINTH_USER_CPU_MS",
    flag: "user-cpu-ms",
    default: limit("userCpuMsMax"),
    min: 10,
    max: 600_000,
    unit: "ms",
    description: "JavaScript time of a query or mutation.",
  }),
  actionWallMs: number<number>({
    env: "PLINTH_ACTION_WALL_MS",
    flag: "action-wall-ms",
    default: limit("actionWallMsMax"),
    min: 100,
    max: 86_400_000,
    unit: "ms",
    description: "Whole time of an action.",
  }),
  connections: number<number>({
    env: "PLINTH_CONNECTIONS",
    flag: "connections",
    default: limit("connectionsMax"),
    min: 10,
    max: 1_000_000,
    description: "Open connections of one HTTP or gRPC port.",
  }),
  connectionsPerAddress: number<number>({
    env: "PLINTH_CONNECTIONS_PER_ADDRESS",
    flag: "connections-per-address",
    default: limit("connectionsPerAddressMax"),
    min: 1,
    max: 1_000_000,
    description: "Open connections of one address to all HTTP and gRPC ports together; those of trusted proxies are not counted.",
  }),
  trustedProxies: list({
    env: "PLINTH_TRUSTED_PROXIES",
    flag: "trusted-proxies",
    default: ["127.0.0.1", "::1"],
    pattern: /^[0-9a-fA-F.:]+(\/\d{1,3})?$/,
    shape: "an address or a network, as 10.0.0.0/8",
    description: "Proxies that stand for many clients and bound the connections of each themselves, as a comma-separated list.",
  }),
  eventsWaitingMax: number<number>({
    env: "PLINTH_EVENTS_WAITING_MAX",
    flag: "events-waiting-max",
    default: limit("eventsWaitingMax"),
    min: 1,
    max: 10_000_000,
    description:
      "Events of one branch that wait for their automations before triggers from outside are refused; changes of documents are at twice as many.",
  }),
  syncReportMs: number<number>({
    env: "PLINTH_SYNC_REPORT_MS",
    flag: "sync-report-ms",
    default: limit("syncReportMs"),
    min: 100,
    max: 86_400_000,
    unit: "ms",
    description: "How long a call of an extractor or loader may run without a report.",
  }),
  queryCache: flag({
    env: "PLINTH_QUERY_CACHE",
    flag: "query-cache",
    default: true,
    description: "Keep results of queries until something they read changes.",
  }),
  egressAllowPrivate: list({
    env: "PLINTH_EGRESS_ALLOW_PRIVATE",
    flag: "egress-allow-private",
    default: [],
    pattern: /^(\[[0-9a-fA-F:]+\]|[0-9A-Za-z.-]+):\d{1,5}$/,
    shape: "host:port",
    description: "Private or loopback targets that fetch of actions may reach, as a comma-separated list.",
  }),
  egressAllowPorts: list({
    env: "PLINTH_EGRESS_ALLOW_PORTS",
    flag: "egress-allow-ports",
    default: [],
    pattern: /^\d{1,5}$/,
    shape: "a port",
    description: "Ports besides 80 and 443 that fetch of actions may reach, as a comma-separated list.",
  }),
  aiProvider: choice({
    env: "PLINTH_AI_PROVIDER",
    flag: "ai-provider",
    choices: ["openai", "anthropic"],
    default: "openai",
    description: "Protocol of the endpoint that operations ask when their inputs name none; `openai` is spoken by many others too.",
  }),
  aiBaseUrl: text<string | null>({
    env: "PLINTH_AI_BASE_URL",
    flag: "ai-base-url",
    default: null,
    defaultText: "the provider's own",
    pattern: URL_PATTERN,
    shape: "an http or https URL",
    description:
      "Address of that endpoint, such as `http://127.0.0.1:11434/v1`; private ones have to be allowed with `--egress-allow-private`.",
  }),
  aiModel: text<string | null>({
    env: "PLINTH_AI_MODEL",
    flag: "ai-model",
    default: null,
    description: "Model that is asked.",
  }),
  aiKeyring: text<string | null>({
    env: "PLINTH_AI_KEYRING",
    flag: "ai-keyring",
    default: null,
    description: "Name of the keyring with the key of that endpoint. Each branch has its own.",
  }),
  embeddingsBaseUrl: text<string | null>({
    env: "PLINTH_EMBEDDINGS_BASE_URL",
    flag: "embeddings-base-url",
    default: null,
    defaultText: "OpenAI's",
    pattern: URL_PATTERN,
    shape: "an http or https URL",
    description: "Address of the OpenAI-compatible endpoint that makes vectors for search.",
  }),
  embeddingsModel: text<string | null>({
    env: "PLINTH_EMBEDDINGS_MODEL",
    flag: "embeddings-model",
    default: null,
    description: "Model that makes vectors; without one searches are by words alone.",
  }),
  embeddingsKeyring: text<string | null>({
    env: "PLINTH_EMBEDDINGS_KEYRING",
    flag: "embeddings-keyring",
    default: null,
    description: "Name of the keyring with the key of that endpoint. Each branch has its own.",
  }),
  prices: list({
    env: "PLINTH_PRICES",
    flag: "prices",
    default: [],
    pattern: /^(gib-second|cpu-second|million-calls|egress-gib)=\d+(\.\d+)?$/,
    shape: "gib-second, cpu-second, million-calls or egress-gib with =<price>",
    description: "What calls cost, in the host's currency, over the default price list; budgets of tenants are in the same currency.",
  }),
  mcpOrigins: list({
    env: "PLINTH_MCP_ORIGINS",
    flag: "mcp-origins",
    default: [],
    pattern: /^https?:\/\/[0-9A-Za-z.:[\]-]+$/,
    shape: "an origin, as https://app.example.com",
    description: "Origins of web pages, besides the host's own, that may call `/mcp`, as a comma-separated list.",
  }),
  redactErrors: choice({
    env: "PLINTH_REDACT_ERRORS",
    flag: "redact-errors",
    choices: ["auto", "always", "never"],
    default: "auto",
    description:
      "Whether callers without an admin key see only an id instead of the message, stack and log lines of a failed function; `auto` does so unless the address, and the public URLs if given, are loopback.",
  }),
  metricsOpen: flag({
    env: "PLINTH_METRICS_OPEN",
    flag: "metrics-open",
    default: false,
    description: "Answer `/metrics` without the admin key. It names functions of all tenants.",
  }),
  otlpEndpoint: text<string | null>({
    env: "OTEL_EXPORTER_OTLP_ENDPOINT",
    flag: "otlp-endpoint",
    default: null,
    defaultText: "none: nothing is sent",
    pattern: URL_PATTERN,
    shape: "an http or https URL",
    description: "OpenTelemetry collector that gets traces and metrics, by OTLP over HTTP; `/v1/traces` and `/v1/metrics` are added.",
  }),
  otlpHeaders: list({
    env: "OTEL_EXPORTER_OTLP_HEADERS",
    flag: "otlp-headers",
    default: [],
    pattern: /^[A-Za-z0-9-]+=[\x21-\x7e]+$/,
    shape: "name=value, the value encoded as in a URL",
    description: "Headers of requests to the collector, such as its key, as a comma-separated list.",
  }),
  otlpServiceName: text<string>({
    env: "OTEL_SERVICE_NAME",
    flag: "otlp-service-name",
    default: "plinth",
    pattern: /^[\x21-\x7e]{1,100}$/,
    shape: "up to 100 printable characters",
    description: "`service.name` of what is sent to the collector.",
  }),
  otlpMetricsIntervalMs: number<number>({
    env: "OTEL_METRIC_EXPORT_INTERVAL",
    flag: "otlp-metrics-interval-ms",
    default: 60_000,
    min: 100,
    max: 3_600_000,
    unit: "ms",
    description: "How often metrics are sent to the collector.",
  }),
  traceSampleRatio: text<string>({
    env: "OTEL_TRACES_SAMPLER_ARG",
    flag: "trace-sample-ratio",
    default: "1",
    pattern: /^(0|1|0?\.\d{1,9}|1\.0|0\.0)$/,
    shape: "a number from 0 to 1",
    description: "Share of traces that are sent, of those that begin here; a caller's `traceparent` decides about its own.",
  }),
  logInvocations: choice({
    env: "PLINTH_LOG_INVOCATIONS",
    flag: "log-invocations",
    choices: ["none", "failed", "all"],
    default: "none",
    description: "For which invocations the host's log gets a line with tenant, branch, function, version, invocation and trace.",
  }),
  drainMs: number<number>({
    env: "PLINTH_DRAIN_MS",
    flag: "drain-ms",
    default: 5000,
    min: 0,
    max: 600_000,
    unit: "ms",
    description: "How long running calls may finish after the first SIGINT or SIGTERM.",
  }),
  logLevel: choice({
    env: "PLINTH_LOG_LEVEL",
    flag: "log-level",
    choices: ["silent", "error", "warn", "info", "debug"],
    default: "info",
    description: "What the host itself writes to standard error.",
  }),
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

type ValueOf<S> = S extends FlagSetting
  ? boolean
  : S extends ListSetting
    ? readonly string[]
    : S extends ChoiceSetting<infer T>
      ? T
      : S extends { readonly kind: "number"; readonly default: infer T }
        ? T
        : S extends { readonly kind: "text"; readonly default: infer T }
          ? T
          : never;

export type Config = { readonly [Name in SettingName]: ValueOf<(typeof SETTINGS)[Name]> };

/** Reads the process's own environment and the given command line. */
export function readConfig(argv: readonly string[]): Config {
  return parseConfig({ env: process.env, argv });
}

/** Lets the threads of this process use its cache of compiled modules, if it has one. */
export function shareCompileCache(): void {
  const folder = getCompileCacheDir();
  if (folder !== undefined) process.env["NODE_COMPILE_CACHE"] = dirname(folder);
}

/** Makes a configuration; throws BadConfiguration, naming the setting. */
export function parseConfig(input: {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly argv?: readonly string[];
}): Config {
  const flags = parseArguments(input.argv ?? []);
  const entries = Object.entries(SETTINGS).map(([name, setting]: [string, Setting]) => {
    const fromFlag = flags.get(setting.flag);
    if (fromFlag !== undefined) return [name, parseSetting(setting, fromFlag, `--${setting.flag}`)];
    const fromEnv = input.env?.[setting.env];
    if (fromEnv !== undefined && fromEnv !== "") return [name, parseSetting(setting, fromEnv, setting.env)];
    return [name, setting.default];
  });
  return Object.fromEntries(entries) as Config;
}

/** A configuration for tests and embedding: the defaults with changes. */
export function configWith(changes: Partial<Config>): Config {
  return { ...parseConfig({}), ...changes };
}

function parseArguments(argv: readonly string[]): Map<string, string> {
  const known = new Map(Object.values(SETTINGS).map((setting: Setting) => [setting.flag, setting]));
  const flags = new Map<string, string>();
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i] ?? "";
    if (!argument.startsWith("--")) throw bad(`'${argument}' is not an option`);
    const [name, inline] = splitOnce(argument.slice(2), "=");
    const negated = name.startsWith("no-") ? known.get(name.slice(3)) : undefined;
    if (negated?.kind === "flag" && inline === undefined) {
      flags.set(negated.flag, "false");
      continue;
    }
    const setting = known.get(name);
    if (setting === undefined) throw bad(`there is no option --${name}`);
    if (inline !== undefined) flags.set(name, inline);
    else if (setting.kind === "flag") flags.set(name, "true");
    else {
      const value = argv[++i];
      if (value === undefined) throw bad(`--${name} needs a value`);
      flags.set(name, value);
    }
  }
  return flags;
}

function parseSetting(setting: Setting, raw: string, source: string): unknown {
  switch (setting.kind) {
    case "text":
      if (raw === "" || (setting.pattern !== undefined && !setting.pattern.test(raw)))
        throw bad(`${source} must be ${setting.shape ?? "a text"}`);
      return raw;
    case "number": {
      const value = /^\d{1,15}$/.test(raw) ? Number(raw) : Number.NaN;
      if (!(value >= setting.min && value <= setting.max))
        throw bad(`${source} must be a whole number from ${setting.min} to ${setting.max}, not '${raw}'`);
      return value;
    }
    case "flag":
      if (/^(1|true|yes|on)$/i.test(raw)) return true;
      if (/^(0|false|no|off)$/i.test(raw)) return false;
      throw bad(`${source} must be true or false, not '${raw}'`);
    case "choice":
      if (!setting.choices.includes(raw)) throw bad(`${source} must be one of ${setting.choices.join(", ")}, not '${raw}'`);
      return raw;
    case "list": {
      const items = raw
        .split(",")
        .map((item) => item.trim())
        .filter((item) => item !== "");
      for (const item of items) if (!setting.pattern.test(item)) throw bad(`${source} must list ${setting.shape}, not '${item}'`);
      return items;
    }
  }
}

function splitOnce(value: string, separator: string): [string, string | undefined] {
  const at = value.indexOf(separator);
  return at === -1 ? [value, undefined] : [value.slice(0, at), value.slice(at + 1)];
}

function bad(detail: string) {
  return plinthError("BadConfiguration", { detail });
}
