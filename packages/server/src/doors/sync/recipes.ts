/** First mappings of an import's types. They are kept as they come: what they say is for those who use the items. */
import { limit } from "@plinth/core/limits.ts";
import { jsonReply, type DoorContext, type DoorRequest, type Route } from "../door.ts";
import { readJsonObject } from "../request-body.ts";
import { snapInOf } from "./access.ts";

export const createBlueprint: Route = {
  method: "POST",
  path: "/internal/airdrop.recipe.blueprints.create",
  access: ["invoke"],
  serviceTokens: true,
  bodyBytesMax: limit("syncBlueprintBytesMax"),
  handle: async (context, request) => jsonReply({ recipe_blueprint: { id: await keep(context, request, "blueprint") } }, 201),
};

export const installMappings: Route = {
  method: "POST",
  path: "/internal/airdrop.recipe.initial-domain-mappings.install",
  access: ["invoke"],
  serviceTokens: true,
  bodyBytesMax: limit("syncBlueprintBytesMax"),
  handle: async (context, request) => {
    const slug = readJsonObject(request)["import_slug"];
    await keep(context, request, typeof slug === "string" ? slug.slice(0, 128) : "");
    return jsonReply({});
  },
};

async function keep(context: DoorContext, request: DoorRequest, slug: string): Promise<string> {
  const snapInId = snapInOf(request);
  const { id } = await context.sync.states.keepBlueprint(request.caller.scope, { snapInId, slug }, JSON.stringify(readJsonObject(request)));
  return id;
}
