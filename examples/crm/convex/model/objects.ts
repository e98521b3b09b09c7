/** The objects of the CRM: one table each, with the names that the REST interface uses. */
import type { Kind } from "./kinds.ts";

export interface ObjectSpec {
  readonly table: string;
  /** Name of one, and of several, in answers. */
  readonly one: string;
  readonly many: string;
  /** Part of ids: `don:<service>:…:<kind>/1`. */
  readonly service: "core" | "identity" | "integration";
  /** Kind in ids and prefix of display ids; by type where an object has several. */
  readonly kinds: Readonly<
    Record<string, { readonly kind: string; readonly prefix: string; /** The first stage. */ readonly stage?: string }>
  >;
  readonly fields: Readonly<Record<string, Kind>>;
  readonly required: readonly string[];
}

/** An object with one kind of ids. */
function object<const Fields extends Readonly<Record<string, Kind>>>(
  table: string,
  names: {
    readonly one: string;
    readonly kind?: string;
    readonly prefix: string;
    readonly service?: ObjectSpec["service"];
    readonly required?: readonly string[];
    readonly stage?: string;
  },
  fields: Fields,
) {
  const { one, kind = one, prefix, service = "core", required = [], stage } = names;
  const kinds = { "": { kind, prefix, ...(stage === undefined ? {} : { stage }) } };
  return { table, one, many: table, service, kinds, required, fields } as const satisfies ObjectSpec;
}

const PEOPLE = { service: "identity" } as const;
const PERSON = {
  display_name: "text",
  full_name: "text",
  email: "text",
  state: "text",
  phone_numbers: "texts",
  external_ref: "text",
  external_refs: "texts",
  external_identities: "json",
  job_title: "text",
} as const;

export const OBJECTS = {
  works: {
    table: "works",
    one: "work",
    many: "works",
    service: "core",
    kinds: {
      issue: { kind: "issue", prefix: "ISS", stage: "triage" },
      ticket: { kind: "ticket", prefix: "TKT", stage: "queued" },
      task: { kind: "task", prefix: "TASK", stage: "open" },
      opportunity: { kind: "opportunity", prefix: "OPP", stage: "qualification" },
    },
    required: ["title"],
    fields: {
      title: "text",
      body: "text",
      stage: "stage",
      priority: "text",
      severity: "text",
      owned_by: "references",
      reported_by: "references",
      applies_to_part: "reference",
      rev_org: "reference",
      account: "reference",
      parent: "reference",
      sprint: "reference",
      group: "reference",
      tags: "tags",
      artifacts: "texts",
      external_ref: "text",
      source_channel: "text",
      needs_response: "boolean",
      is_spam: "boolean",
      amount: "number",
      estimated_effort: "number",
      target_close_date: "text",
      target_start_date: "text",
      actual_close_date: "text",
      state: "text",
    },
  },
  parts: {
    table: "parts",
    one: "part",
    many: "parts",
    service: "core",
    kinds: {
      product: { kind: "product", prefix: "PROD" },
      capability: { kind: "capability", prefix: "CAPL" },
      feature: { kind: "feature", prefix: "FEAT" },
      enhancement: { kind: "enhancement", prefix: "ENH" },
    },
    required: ["name"],
    fields: {
      name: "text",
      description: "text",
      owned_by: "references",
      parent_part: "references",
      stage: "stage",
      tags: "tags",
      artifacts: "texts",
      target_close_date: "text",
    },
  },
  accounts: object(
    "accounts",
    { one: "account", prefix: "ACC", ...PEOPLE, required: ["display_name"] },
    {
      display_name: "text",
      description: "text",
      domains: "texts",
      external_refs: "texts",
      owned_by: "references",
      tier: "text",
      websites: "texts",
      industry: "text",
      tags: "tags",
      stage: "stage",
    },
  ),
  rev_orgs: object(
    "rev_orgs",
    { one: "rev_org", kind: "revo", prefix: "REV", ...PEOPLE, required: ["display_name"] },
    {
      display_name: "text",
      description: "text",
      account: "reference",
      domain: "text",
      environment: "text",
      external_ref: "text",
      tier: "text",
      tags: "tags",
    },
  ),
  rev_users: object(
    "rev_users",
    { one: "rev_user", kind: "revu", prefix: "REVU", ...PEOPLE },
    {
      ...PERSON,
      rev_org: "reference",
      account: "reference",
      associated_accounts: "references",
      description: "text",
      is_verified: "boolean",
      tags: "tags",
    },
  ),
  dev_users: object("dev_users", { one: "dev_user", kind: "devu", prefix: "DEVU", ...PEOPLE }, { ...PERSON, groups: "references" }),
  groups: object(
    "groups",
    { one: "group", prefix: "GRP", ...PEOPLE, required: ["name"] },
    { name: "text", description: "text", group_type: "text", member_type: "text", owner: "reference" },
  ),
  group_members: object(
    "group_members",
    { one: "group_member", prefix: "GRPM", ...PEOPLE, required: ["group", "member"] },
    { group: "reference", member: "reference" },
  ),
  conversations: object(
    "conversations",
    { one: "conversation", prefix: "CONV", stage: "new" },
    {
      type: "text",
      title: "text",
      description: "text",
      stage: "stage",
      state: "text",
      status: "text",
      members: "references",
      owned_by: "references",
      applies_to_parts: "references",
      rev_org: "reference",
      account: "reference",
      group: "reference",
      messages: "json",
      source_channel: "text",
      is_spam: "boolean",
      priority: "text",
      tags: "tags",
    },
  ),
  tags: object(
    "tags",
    { one: "tag", prefix: "TAG", required: ["name"] },
    { name: "text", description: "text", allowed_values: "texts", style: "text" },
  ),
  timeline_entries: object(
    "timeline_entries",
    { one: "timeline_entry", kind: "comment", prefix: "TLE", required: ["object"] },
    {
      type: "text",
      object: "text",
      object_type: "text",
      object_display_id: "text",
      body: "text",
      body_type: "text",
      snap_kit_body: "json",
      visibility: "text",
      panel: "text",
      private_to: "references",
      collections: "texts",
      labels: "texts",
      artifacts: "texts",
      linked_works: "references",
      external_ref: "text",
      expires_at: "text",
    },
  ),
  articles: object(
    "articles",
    { one: "article", prefix: "ART", required: ["title"] },
    {
      title: "text",
      description: "text",
      article_type: "text",
      status: "text",
      language: "text",
      resource: "json",
      content: "text",
      owned_by: "references",
      authored_by: "references",
      applies_to_parts: "references",
      parent: "reference",
      published_at: "text",
      tags: "tags",
    },
  ),
  directories: object(
    "directories",
    { one: "directory", prefix: "DIR", required: ["title"] },
    { title: "text", description: "text", parent: "reference", published: "boolean", tags: "tags" },
  ),
  incidents: object(
    "incidents",
    { one: "incident", prefix: "INC", required: ["title"] },
    {
      title: "text",
      body: "text",
      stage: "stage",
      severity: "text",
      owned_by: "references",
      applies_to_parts: "references",
      impact: "text",
      identified_date: "text",
      target_close_date: "text",
      tags: "tags",
    },
  ),
  links: object(
    "links",
    { one: "link", prefix: "LNK", required: ["link_type", "source", "target"] },
    { link_type: "text", source: "reference", target: "reference" },
  ),
  meetings: object(
    "meetings",
    { one: "meeting", prefix: "MEET", required: ["title"] },
    {
      title: "text",
      description: "text",
      channel: "text",
      state: "text",
      parent: "reference",
      organizer: "reference",
      members: "references",
      scheduled_date: "text",
      ended_date: "text",
      external_ref: "text",
      tags: "tags",
    },
  ),
  surveys: object("surveys", { one: "survey", prefix: "SRV", required: ["name"] }, { name: "text", description: "text", schema: "json" }),
  survey_responses: object(
    "survey_responses",
    { one: "survey_response", prefix: "SRVR" },
    {
      survey: "reference",
      object: "text",
      dispatch_id: "text",
      recipient: "reference",
      response: "json",
      response_score: "json",
      source_channel: "text",
      stage: "stage",
    },
  ),
  artifacts: object(
    "artifacts",
    { one: "artifact", prefix: "ARTF" },
    { file_name: "text", file_type: "text", size: "number", parent: "reference" },
  ),
  custom_objects: object(
    "custom_objects",
    { one: "custom_object", prefix: "CUST", required: ["leaf_type"] },
    { leaf_type: "text", title: "text", unique_key: "text", owned_by: "references", stage: "stage", tags: "tags" },
  ),
  code_changes: object(
    "code_changes",
    { one: "code_change", prefix: "CODE" },
    {
      title: "text",
      body: "text",
      source: "text",
      state: "text",
      external_url: "text",
      external_id: "text",
      repo_url: "text",
      branch: "text",
    },
  ),
  question_answers: object(
    "question_answers",
    { one: "question_answer", prefix: "QNA", required: ["question", "answer"] },
    {
      question: "text",
      answer: "text",
      status: "text",
      owned_by: "references",
      applies_to_parts: "references",
      sources: "texts",
      tags: "tags",
    },
  ),
  schema_fragments: object(
    "schema_fragments",
    { one: "schema_fragment", prefix: "SCHM", required: ["leaf_type", "type"] },
    {
      type: "text",
      leaf_type: "text",
      subtype: "text",
      app: "text",
      description: "text",
      fields: "json",
      is_custom_leaf_type: "boolean",
      is_deprecated: "boolean",
      deleted_fields: "texts",
    },
  ),
  slas: object(
    "slas",
    { one: "sla", prefix: "SLA", required: ["name"] },
    { name: "text", description: "text", status: "text", sla_type: "text", policies: "json" },
  ),
  vistas: object(
    "vistas",
    { one: "vista", prefix: "VIS", required: ["name"] },
    { name: "text", type: "text", filters: "json", members: "references" },
  ),
} as const satisfies Readonly<Record<string, ObjectSpec>>;

export type ObjectTable = keyof typeof OBJECTS;

/** The table of ids `…:<kind>/1`, and of display ids `<prefix>-1`. */
export const TABLE_OF_KIND: ReadonlyMap<string, string> = new Map(
  Object.values<ObjectSpec>(OBJECTS).flatMap(({ table, kinds }) => Object.values(kinds).map(({ kind }) => [kind, table] as const)),
);
export const TABLE_OF_PREFIX: ReadonlyMap<string, string> = new Map(
  Object.values<ObjectSpec>(OBJECTS).flatMap(({ table, kinds }) => Object.values(kinds).map(({ prefix }) => [prefix, table] as const)),
);
