/** `/api/query`, `/api/mutation`, `/api/action`, `/api/function` and `/api/run/<module>/<function>`. */
import { plinthError } from "@plinth/core/errors.ts";
import type { FunctionKind } from "@plinth/core/protocol/runner-protocol.ts";
import { jsonTextReply, type DoorRequest, type Reply, type Route } from "../door.ts";
import { argumentsField, choiceField, textField } from "../fields.ts";
import { parseJson, readJsonObject, type JsonObject } from "../request-body.ts";
import { callFunction, VALUE_FORMATS, type ValueFormat } from "./call-function.ts";

export const query = callRoute("/api/query", "query");
export const mutation = callRoute("/api/mutation", "mutation");
export const action = callRoute("/api/action", "action");

/** Any kind of function, internal ones too; what `convex run` uses. */
export const anyFunction: Route = { ...callRoute("/api/function", undefined), access: ["admin"] };

/** `GET /api/query?path=…&args=…&format=…` */
export const queryByGet: Route = {
  method: "GET",
  path: "/api/query",
  access: "public",
  crossOrigin: true,
  handle: async (context, request): Promise<Reply> => {
    const parameters = request.query;
    const args = parseJson(parameters.get("args") ?? "{}");
    const body: JsonObject = { path: parameters.get("path") ?? undefined, args, format: parameters.get("format") ?? undefined };
    const text = await callFunction(context, request, { ...readCall(body), kind: "query", signal: request.signal() });
    return jsonTextReply(text);
  },
};

/** `POST /api/run/dir/module/function` with `{args, format}`. */
export const run: Route = {
  method: "POST",
  path: "/api/run/*",
  access: "public",
  crossOrigin: true,
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request, { optional: true });
    const call = { kind: undefined, path: pathOfRun(request), argsText: argumentsField(body, "args"), format: readFormat(body) };
    return jsonTextReply(await callFunction(context, request, call));
  },
};

/** `{path, args, format}` of a body or of one query of a batch. */
export function readCall(body: JsonObject): { readonly path: string; readonly argsText: string; readonly format: ValueFormat } {
  if (body["componentPath"] !== undefined && body["componentPath"] !== null && body["componentPath"] !== "") {
    throw plinthError("BadRequest", { detail: "`componentPath` names a component, and this host has none." });
  }
  return { path: textField(body, "path"), argsText: argumentsField(body, "args"), format: readFormat(body) };
}

function callRoute(path: string, kind: FunctionKind | undefined): Route {
  return {
    method: "POST",
    path,
    access: "public",
    crossOrigin: true,
    handle: async (context, request): Promise<Reply> => {
      const call = readCall(readJsonObject(request));
      // Only a query may be dropped half-way: nobody can tell how far anything else has come.
      const text = await callFunction(context, request, kind === "query" ? { ...call, kind, signal: request.signal() } : { ...call, kind });
      return jsonTextReply(text);
    },
  };
}

function readFormat(body: JsonObject): ValueFormat {
  return choiceField(body, "format", VALUE_FORMATS) ?? "json";
}

function pathOfRun(request: DoorRequest): string {
  const parts = (request.params["*"] ?? "").split("/");
  const name = parts.pop() ?? "";
  return parts.length === 0 ? name : `${parts.join("/")}:${name}`;
}
