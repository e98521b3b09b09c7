/**
 * `/v1/flow-callbacks/{token}`: where the outside answers steps of flows: calls that answered later, callbacks and approvals. The token
 * is the right to answer, once. People get a page with a form.
 */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import { answerResult } from "../../flows/answer-result.ts";
import { formFields } from "../../flows/approvals.ts";
import { jsonReply, type DoorRequest, type Reply, type Route } from "../door.ts";
import { readJson } from "../request-body.ts";
import { answeredPage, htmlReply, questionPage, refusedPage } from "./answer-page.ts";

const PATH = "/v1/flow-callbacks/:token";
const FORM_TYPE = "application/x-www-form-urlencoded";

export const getFlowAnswer: Route = {
  method: "GET",
  path: PATH,
  access: "open",
  branchless: true,
  handle: async ({ flows }, request): Promise<Reply> => {
    const question = () => flows.question(tokenOf(request));
    if (wantsPage(request)) return await asPage(async () => questionPage(await question()));
    return jsonReply(await question(), 200, { "cache-control": "no-store" });
  },
};

export const postFlowAnswer: Route = {
  method: "POST",
  path: PATH,
  access: "open",
  branchless: true,
  handle: async ({ flows }, request): Promise<Reply> => {
    const token = tokenOf(request);
    if (!isForm(request)) {
      await flows.answerByToken({ token, via: "http", result: answerResult(readJson(request) as Json) });
      return jsonReply({ answered: true });
    }
    return await asPage(async () => {
      checkForm(request);
      const { form } = await flows.question(token);
      const { answer, name } = readForm(request.bodyBytes ?? Buffer.alloc(0), form);
      await flows.answerByToken({ token, via: "page", ...(name === "" ? {} : { name }), result: { kind: "output", output: answer } });
      return answeredPage(answer["approved"] === true);
    });
  },
};

/** People are told on a page too why nothing happened. */
async function asPage(body: () => Promise<string>): Promise<Reply> {
  try {
    return htmlReply(await body());
  } catch (error) {
    if (!(error instanceof PlinthError) || error.spec.fault !== "caller") throw error;
    return htmlReply(refusedPage(error), error.spec.status);
  }
}

function tokenOf({ params }: DoorRequest): string {
  return params["token"] ?? "";
}

function wantsPage({ headers }: DoorRequest): boolean {
  return (headers.accept ?? "").includes("text/html");
}

function isForm({ headers }: DoorRequest): boolean {
  return (headers["content-type"] ?? "").toLowerCase().startsWith(FORM_TYPE);
}

/** It is read once for each field. */
function checkForm({ bodyBytes }: DoorRequest): void {
  const [actual, max] = [bodyBytes?.length ?? 0, limit("flowAnswerFormBytesMax")];
  if (actual > max) throw plinthError("RequestTooLarge", { what: "form", actual: `${actual} bytes`, max: `${max} bytes` });
}

/** Names of fields have a prefix in the page, so that they are none of its own. */
function readForm(bytes: Buffer, form: Json): { readonly answer: JsonObject; readonly name: string } {
  const given = new URLSearchParams(bytes.toString("utf8"));
  const decision = given.get("decision");
  if (decision !== "approve" && decision !== "refuse") throw plinthError("BadRequest", { detail: "`decision` is `approve` or `refuse`." });
  const values: Record<string, Json> = {};
  for (const { name, type } of formFields(form)) {
    const value = given.get(`field:${name}`);
    if (type === "boolean") values[name] = value !== null;
    else if (value !== null) values[name] = value;
  }
  return { answer: { approved: decision === "approve", form: values }, name: (given.get("name") ?? "").trim().slice(0, 100) };
}
