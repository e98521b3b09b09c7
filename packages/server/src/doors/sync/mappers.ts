/** Which item is which on both sides: `/internal/airdrop.sync-mapper-record.*`. */
import { shownMapper, type MapperSide } from "../../sync/mappers.ts";
import { jsonReply, type Route } from "../door.ts";
import { readJsonObject } from "../request-body.ts";
import { unitOfAccount } from "./access.ts";

const BASE = "/internal/airdrop.sync-mapper-record";

export const getMapperByTarget = lookUp("get-by-target", "target", "target");
export const getMapperByExternalId = lookUp("get-by-external-id", "external_id", "external");

export const createMapper: Route = {
  method: "POST",
  path: `${BASE}.create`,
  access: ["invoke"],
  serviceTokens: true,
  handle: async (context, request) => {
    const body = readJsonObject(request);
    const unit = await unitOfAccount(context, request, body["sync_unit"]);
    return jsonReply({ sync_mapper_record: shownMapper(await context.sync.mappers.create(request.caller.scope, unit.id, body)) }, 201);
  },
};

export const updateMapper: Route = {
  method: "POST",
  path: `${BASE}.update`,
  access: ["invoke"],
  serviceTokens: true,
  handle: async (context, request) => {
    const body = readJsonObject(request);
    const unit = await unitOfAccount(context, request, body["sync_unit"]);
    return jsonReply({ sync_mapper_record: shownMapper(await context.sync.mappers.update(request.caller.scope, unit.id, body)) });
  },
};

function lookUp(verb: string, parameter: string, side: MapperSide): Route {
  return {
    method: "GET",
    path: `${BASE}.${verb}`,
    access: ["invoke"],
    serviceTokens: true,
    handle: async (context, request) => {
      const unit = await unitOfAccount(context, request, request.query.get("sync_unit"));
      const item = request.query.get(parameter) ?? "";
      return jsonReply({ sync_mapper_record: shownMapper(await context.sync.mappers.find(request.caller.scope, unit.id, { side, item })) });
    },
  };
}
