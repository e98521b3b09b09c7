/** What is told of the answers that a run waits for, and of those that were refused. */
import type { RunDetail } from "../../flows/flows.ts";
import { answerUrl } from "../../flows/callbacks.ts";
import { hasScope } from "../authenticate.ts";
import type { DoorContext, DoorRequest } from "../door.ts";

/** Tokens stand for whoever may answer, so one of an approver is shown to nobody but administrators. */
export async function shownAnswers({ urls }: Pick<DoorContext, "urls">, { caller }: DoorRequest, { answers }: RunDetail) {
  const { api } = await urls;
  return answers.map(({ token, approver, ...answer }) => {
    const isShown = token !== null && (approver === null || hasScope(caller.actor, "admin"));
    return { ...answer, approver, token: isShown ? token : null, url: isShown ? answerUrl(api, token) : null };
  });
}
