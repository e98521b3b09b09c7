/** The objects of the example CRM that packages work on, made and changed over its REST interface as an application does. */
import { call, type Json } from "../../../packages/cli/src/client.ts";
import type { Connection } from "../../../packages/cli/src/connection.ts";

type JsonObject = { readonly [name: string]: Json | undefined };

/** Kind of an object as ids have it → the id of one that is there. */
export type Ids = Readonly<Record<string, string>>;

export interface Crm {
  readonly ids: Ids;
  /** The user who acts. */
  readonly user: string;
  /** Another user, who has set nothing up. */
  readonly otherUser: string;
  readonly create: (object: string, fields: JsonObject) => Promise<JsonObject>;
  /** Calls `<object>.<verb>` and answers with the JSON. */
  call(name: string, args: JsonObject): Promise<JsonObject>;
  /** Entries in the timeline of an object. */
  timeline(object: string): Promise<readonly JsonObject[]>;
  /** An object of a type that commands may be typed at. */
  objectOf(type: string): Promise<string | undefined>;
}

export async function seedCrm(connection: Connection): Promise<Crm> {
  const callCrm = async (name: string, args: JsonObject) => (await call(connection, `/${name}`, { body: args })) as JsonObject;
  const create = async (object: string, fields: JsonObject): Promise<JsonObject> => {
    const made = await callCrm(`${object}.create`, fields);
    return Object.values(made)[0] as JsonObject;
  };
  const id = async (object: string, fields: JsonObject) => text((await create(object, fields))["id"]);

  const user = await id("dev-users", { display_name: "Ada", full_name: "Ada Lovelace", email: "ada@example.com" });
  const otherUser = await id("dev-users", { display_name: "Ben", full_name: "Ben Bitdiddle", email: "ben@example.com" });
  const product = await id("parts", { type: "product", name: "Engine", owned_by: [user] });
  const capability = await id("parts", { type: "capability", name: "Calculation", owned_by: [user], parent_part: [product] });
  const account = await id("accounts", { display_name: "Example Ltd", owned_by: [user] });
  const revo = await id("rev-orgs", { display_name: "Example Ltd", account });
  const revu = await id("rev-users", { display_name: "Cy", email: "cy@example.com", rev_org: revo });
  const tag = await id("tags", { name: "sample" });
  const group = await id("groups", { name: "Admins", description: "May do everything" });
  await callCrm("groups.members.add", { group, member: user });
  // For packages that look for what has a tag.
  for (const type of ["ticket", "issue"])
    await create("works", { type, title: "Tagged", applies_to_part: product, owned_by: [user], tags: [{ id: tag }] });
  const ids = {
    devu: user,
    product,
    part: product,
    capability,
    feature: capability,
    account,
    revo,
    rev_org: revo,
    revu,
    rev_user: revu,
    tag,
    group,
  };
  return {
    ids,
    user,
    otherUser,
    create,
    call: callCrm,
    timeline: async (object) => ((await callCrm("timeline-entries.list", { object }))["timeline_entries"] ?? []) as readonly JsonObject[],
    async objectOf(type) {
      const work = {
        title: "Sample",
        body: "It is broken.",
        applies_to_part: product,
        owned_by: [user],
        reported_by: [revu],
        tags: [{ id: tag }],
      };
      switch (type) {
        case "issue":
        case "ticket":
        case "task":
        case "opportunity":
          return await id("works", { type, ...work });
        case "conversation":
          return await id("conversations", { type: "support", title: "Sample", members: [revu] });
        case "incident":
          return await id("incidents", { title: "Sample" });
        case "article":
          return await id("articles", { title: "Sample", resource: {} });
        default:
          return (ids as Ids)[type];
      }
    },
  };
}

/** The text, or nothing where there is none. */
export function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

export function text(value: Json | undefined): string {
  if (typeof value !== "string") throw new Error(`The CRM answered ${JSON.stringify(value)} where a text was expected.`);
  return value;
}
