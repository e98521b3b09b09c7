/** Serves handlers of Connect on servers of Node: the gRPC port, and the API's port for the JSON form. */
import { Code, ConnectError, createContextValues, type ConnectRouter, type ContextValues } from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { limit } from "@plinth/core/limits.ts";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { ANONYMOUS, bodyOwner } from "../body-budget.ts";
import type { DoorContext } from "../door.ts";
import { callerIn, PATH_TENANT } from "./call-gate.ts";
import { thrownAsGrpc } from "./grpc-error.ts";
import { messageForm, readRequestMessage } from "./request-message.ts";

type NodeRequest = IncomingMessage | Http2ServerRequest;
type NodeResponse = ServerResponse | Http2ServerResponse;

export type NodeHandler = (request: NodeRequest, response: NodeResponse, pathTenant?: string) => Promise<void>;

/** `unknown` answers requests for anything else. */
export function nodeHandler(
  context: DoorContext,
  router: ConnectRouter,
  unknown: (request: NodeRequest, response: NodeResponse) => void,
): NodeHandler {
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return async (request, response, pathTenant) => {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const handler = handlers.get(path);
    if (handler === undefined) {
      unknown(request, response);
      return;
    }
    try {
      await serve(context, { handler, request, response, pathTenant });
    } catch (error) {
      // The client is gone, or the answer could not be written: nobody is left to tell.
      const { code } = ConnectError.from(error);
      if (code !== Code.Aborted && code !== Code.Canceled)
        context.log.error({ method: handler.method.name, code: Code[code] }, "an answer was not sent");
      response.destroy();
    }
  };
}

async function serve(
  context: DoorContext,
  call: {
    readonly handler: UniversalHandler;
    readonly request: NodeRequest;
    readonly response: NodeResponse;
    readonly pathTenant: string | undefined;
  },
): Promise<void> {
  const { handler, request, response, pathTenant } = call;
  const values = createContextValues().set(PATH_TENANT, pathTenant);
  const given = universalRequestFromNodeRequest(request, response, undefined, values);
  const body = given.body as AsyncIterable<Uint8Array>;
  const single = handler.method.methodKind === "unary" || handler.method.methodKind === "server_streaming";
  const answer = await handler(
    single ? { ...given, body: checkedBody(context, { handler, response, header: given.header, values, body }) } : given,
  );
  await universalResponseToNodeResponse(
    answer.body === undefined
      ? answer
      : { ...answer, body: held(context, { response, values }, thenPlainMessage(answer.body, answer.trailer)) },
    response,
  );
}

/**
 * The text of a status encodes what it must and no more: all clients read that, while the official one for Node leaves `%3A` for a
 * colon as it is. The status stands when the body has ended.
 */
async function* thenPlainMessage(body: AsyncIterable<Uint8Array>, trailer: Headers | undefined): AsyncGenerator<Uint8Array> {
  yield* body;
  const message = trailer?.get("grpc-message") ?? null;
  if (message !== null) trailer?.set("grpc-message", percentEncoded(decodeURIComponent(message)));
}

/** Who asks for the next piece has had the one before taken by the client. */
async function* held(
  { answers }: DoorContext,
  { response, values }: { readonly response: NodeResponse; readonly values: ContextValues },
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    const read = answers.hold(response, { tenant: callerIn(values)?.scope.tenant ?? "", bytes: piece.length });
    yield piece;
    read();
  }
}

function percentEncoded(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]+/gu, encodeURIComponent);
}

/** Reads and checks the message when the handler asks for it. */
async function* checkedBody(
  context: DoorContext,
  call: {
    readonly handler: UniversalHandler;
    readonly response: NodeResponse;
    readonly header: Headers;
    readonly values: ContextValues;
    readonly body: AsyncIterable<Uint8Array>;
  },
): AsyncGenerator<Uint8Array> {
  const timer = context.runtime.timer(limit("requestReadMsMax"), () => call.response.destroy());
  const caller = callerIn(call.values);
  try {
    yield await readRequestMessage(call.body, {
      input: call.handler.method.input,
      form: messageForm(call.header),
      hold: context.bodies.holder(call.response, caller === undefined ? ANONYMOUS : bodyOwner(caller)),
      turn: (bytes) => {
        // It has come whole.
        timer.cancel();
        return context.bodyTurns.turn(callerIn(call.values)?.scope.tenant ?? "", bytes);
      },
    });
  } catch (error) {
    throw error instanceof ConnectError ? error : thrownAsGrpc(context, error);
  } finally {
    timer.cancel();
  }
}

/** Answers in the form of gRPC that there is no such method. */
export function answerUnimplemented(request: NodeRequest, response: NodeResponse): void {
  const message = percentEncoded(`There is no method ${(request.url ?? "").slice(0, 200)}.`);
  const headers = { "content-type": "application/grpc", "grpc-status": String(Code.Unimplemented), "grpc-message": message };
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.end();
}
