/**
 * A manifest after it was read: what a package of handlers declares. Version 1 manifests are mapped to this form. The reader is
 * `parse-manifest.ts`; nothing else makes one of these.
 *
 * The fields follow the public contract of DevRev snap-ins; `plinth` is Plinth's own section.
 */
export interface Manifest {
  readonly version: "1" | "2";
  readonly name: string;
  readonly description: string;
  readonly serviceAccount: ServiceAccountSpec | null;
  readonly developerKeyrings: readonly DeveloperKeyringSpec[];
  readonly keyrings: Scoped<KeyringSpec>;
  readonly keyringTypes: readonly KeyringTypeSpec[];
  readonly eventSources: Scoped<EventSourceSpec>;
  readonly inputs: Scoped<FieldDescriptor>;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly functions: readonly FunctionSpec[];
  readonly automations: readonly AutomationSpec[];
  readonly commands: readonly CommandSpec[];
  readonly hooks: readonly HookSpec[];
  readonly snapKitActions: readonly { readonly name: string; readonly description: string; readonly function: string }[];
  readonly snapComponents: readonly SnapComponentSpec[];
  readonly configurationHandler: Readonly<Partial<Record<InstallScope, ConfigurationHandlerSpec>>>;
  readonly operations: readonly OperationSpec[];
  readonly imports: readonly ImportSpec[];
  readonly buildConfig: { readonly environmentVariables: readonly BuildVariableSpec[] };
  readonly plinth: PlinthSpec;
}

/** Who has an entry of their own: the organisation, or each user. */
export type InstallScope = "organization" | "user";
export type Scoped<T> = Readonly<Record<InstallScope, readonly T[]>>;

export interface ScopeSpec {
  /** `object:permission`, permission one of read, write, all, update, execute. */
  readonly scope: string;
  readonly optional: boolean;
  readonly reason: string | null;
}

export interface ServiceAccountSpec {
  readonly displayName: string;
  /** Whether there is a `scopes` section. Older manifests have none and mean no bounds by it. */
  readonly declaresScopes: boolean;
  readonly self: readonly ScopeSpec[];
  readonly impersonate: readonly { readonly actAs: string; readonly scopes: readonly ScopeSpec[] }[];
}

export interface DeveloperKeyringSpec {
  readonly name: string;
  readonly description: string;
  readonly displayName: string;
}

export interface KeyringSpec extends DeveloperKeyringSpec {
  /** Names of built-in types, or ids of `keyringTypes`. */
  readonly types: readonly string[];
}

export interface KeyringTypeSpec {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly kind: "secret" | "oauth2";
  readonly isSubdomain: boolean;
  readonly externalSystemName: string | null;
  readonly referenceKeyring: string | null;
  readonly scopes: readonly { readonly name: string; readonly description: string; readonly value: string }[];
  readonly scopeDelimiter: string;
  /** Name of the developer keyring that holds client id and secret. */
  readonly oauthSecret: string | null;
  readonly secretConfig: {
    /** jq over the object of fields. */
    readonly secretTransform: string | null;
    readonly fields: readonly { readonly id: string; readonly name: string; readonly description: string; readonly isOptional: boolean }[];
    readonly tokenVerification: HttpCallSpec | null;
  } | null;
  readonly authorize: {
    readonly authUrl: string;
    readonly tokenUrl: string;
    readonly grantType: string;
    readonly authQueryParameters: Readonly<Record<string, string>>;
    readonly tokenQueryParameters: Readonly<Record<string, string>>;
  } | null;
  readonly organizationData: (HttpCallSpec & { /** jq: `{id, name}`, one or a stream. */ readonly responseJq: string }) | null;
  readonly refresh: HttpCallSpec | null;
  readonly revoke: HttpCallSpec | null;
  /** Plinth's own: a function of the package that checks a credential; absent = none. */
  readonly verifyFunction?: string;
  /** Plinth's own: a function of the package that gets new tokens; absent = none. */
  readonly refreshFunction?: string;
}

/** A request with placeholders such as [ACCESS_TOKEN] in url, headers and parameters. */
export interface HttpCallSpec {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly queryParameters: Readonly<Record<string, string>>;
}

export interface EventSourceSpec {
  readonly name: string;
  readonly description: string;
  readonly displayName: string;
  readonly type: "devrev-webhook" | "flow-custom-webhook" | "flow-events" | "timer-events" | "email-forward";
  readonly setupInstructions: string | null;
  /** JSON of the type's own settings, checked by the reader. */
  readonly config: Readonly<Record<string, unknown>>;
  /** jq that yields a boolean, or null. */
  readonly filterJq: string | null;
}

/** A described field: of inputs, and of the ports of operations. */
export interface FieldDescriptor {
  readonly name: string;
  readonly description: string;
  readonly fieldType: string;
  /** Type of the elements of an array. */
  readonly baseType: string | null;
  readonly idType: readonly string[];
  readonly allowedValues: readonly string[];
  readonly isRequired: boolean;
  /** JSON; undefined when there is none. */
  readonly defaultValue?: unknown;
  readonly ui: Readonly<Record<string, unknown>>;
}

export interface FunctionSpec {
  readonly name: string;
  readonly description: string;
  /** Calls with the same sync id run in order. */
  readonly supportsSynchronization: boolean;
  readonly maxRetries: number;
  readonly minIntervalMs: number;
  /** Names of keyrings that the function gets; all that the package declares when null. */
  readonly keyrings: readonly string[] | null;
  readonly timeoutMs: number | null;
  readonly memoryBytes: number | null;
  /** Bytes of a writable folder that lasts as long as the process; 0 = none. */
  readonly scratchBytes: number;
}

export interface AutomationSpec {
  readonly name: string;
  readonly description: string;
  readonly source: string;
  readonly eventTypes: readonly string[];
  readonly function: string;
}

export interface CommandSpec {
  readonly name: string;
  readonly namespace: string;
  readonly description: string;
  readonly surfaces: readonly { readonly surface: string; readonly objectTypes: readonly string[] }[];
  readonly usageHint: string;
  readonly function: string;
}

export type HookType = "validate" | "activate" | "deactivate" | "update";
export interface HookSpec {
  readonly type: HookType;
  readonly function: string;
}

export interface SnapComponentSpec {
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly surface: string;
  readonly snapKitActionName: string | null;
  readonly initializer: string | null;
  readonly snapKitBody: unknown;
}

export interface ConfigurationHandlerSpec {
  readonly initializer: string | null;
  readonly snapKitActionName: string | null;
}

export interface OperationSpec {
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly slug: string;
  readonly function: string;
  readonly type: "action" | "trigger";
  readonly isWorkflowNode: boolean;
  readonly isAgentSkill: boolean;
  /** Plinth's own, `metadata.has_schema_handler`: the function answers with the fields that fit what was filled in so far. */
  readonly hasSchemaHandler: boolean;
  readonly staticScopes: readonly ScopeSpec[];
  readonly keyrings: readonly KeyringSpec[];
  readonly inputs: readonly FieldDescriptor[];
  readonly outputs: readonly FieldDescriptor[];
  readonly defaultTimeoutMs: number | null;
}

export interface ImportSpec {
  readonly slug: string;
  readonly displayName: string;
  readonly description: string;
  readonly extractorFunction: string;
  readonly loaderFunction: string | null;
  readonly allowedConnectionTypes: readonly string[];
  readonly capabilities: readonly string[];
}

export interface BuildVariableSpec {
  readonly name: string;
  readonly description: string;
  readonly type: string;
  readonly value: string;
}

/** Plinth's own section `plinth:`; a manifest without it gets the defaults. */
export interface PlinthSpec {
  /** `auto`: node where `code/package.json` is, python where `code/*.py` is, wasm where only `code/*.wasm` is. */
  readonly runtime: "auto" | "node" | "python" | "wasm";
  /** Whether a process serves several calls, one after the other. Null: the runtime's own way (node yes, python no). */
  readonly reuse: boolean | null;
}

/** What is wrong with a manifest, and what to write instead. */
export interface ManifestFinding {
  readonly severity: "error" | "warning";
  /** Where: `functions[2].name`; empty for the whole file. */
  readonly path: string;
  /** 1 = first line. */
  readonly line: number;
  readonly message: string;
}
