/** Surveys, and what is answered to them. */
import { internalMutationGeneric as internalMutation, internalQueryGeneric as internalQuery } from "convex/server";
import { CALL, text } from "../model/call.ts";
import { crud } from "../model/crud.ts";
import { list as listOf } from "../model/list.ts";
import { OBJECTS } from "../model/objects.ts";
import { insert, mustFind, shown } from "../model/store.ts";

const { create, get, update, remove, list } = crud(OBJECTS.surveys);
export { create, get, update, remove as delete, list };

const SPEC = OBJECTS.survey_responses;

/** `{survey, object, …}`: what was sent waits for its answer. */
export const send = internalMutation({
  args: CALL,
  handler: async (ctx, { args, caller }) => {
    const survey = await mustFind(ctx, OBJECTS.surveys, text(args, "survey"));
    const sent = await insert(ctx, SPEC, { args: { ...args, survey: survey.id, stage: { name: "sent" } }, caller });
    return { survey_response: shown(sent) };
  },
});

/** `{survey, object, response, response_score}` */
export const submit = internalMutation({
  args: CALL,
  handler: async (ctx, { args, caller }) => {
    const survey = await mustFind(ctx, OBJECTS.surveys, text(args, "survey"));
    const given = await insert(ctx, SPEC, { args: { ...args, survey: survey.id, stage: { name: "completed" } }, caller });
    return { survey_response: shown(given) };
  },
});

export const responsesList = internalQuery({
  args: CALL,
  handler: async (ctx, { args }) => {
    const { items, next } = await listOf(ctx, SPEC, args);
    return { survey_responses: items, ...(next === null ? {} : { next_cursor: next }) };
  },
});
