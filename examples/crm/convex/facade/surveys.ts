/** Surveys, and what is answered to them. */
import { internalMutationGeneric as internalMutation, internalQueryGeneric as internalQuery } from "convex/server";
import { authorOf, CALL, refuse, text } from "../model/call.ts";
import { crud } from "../model/crud.ts";
import { list as listOf } from "../model/list.ts";
import { OBJECTS } from "../model/objects.ts";
import { insert, mustFind, shown } from "../model/store.ts";

const { create, get, update, remove, list } = crud(OBJECTS.surveys);
export { create, get, update, remove as delete, list };

interface Answered {
  readonly survey?: { readonly id: string };
  readonly stage?: { readonly name: string };
  readonly created_by: { readonly id: string };
}

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

/** `{survey, object, response, response_score}`: once by each caller. */
export const submit = internalMutation({
  args: CALL,
  handler: async (ctx, { args, caller }) => {
    const survey = await mustFind(ctx, OBJECTS.surveys, text(args, "survey"));
    const object = text(args, "object");
    const author = authorOf(caller);
    for await (const row of ctx.db.query(SPEC.table).withIndex("by_object", (q) => q.eq("object", object))) {
      const { survey: of, stage, created_by: by } = row as unknown as Answered;
      if (of?.id === survey.id && stage?.name === "completed" && by.id === author) throw refuse(409, "This survey is answered already.");
    }
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
