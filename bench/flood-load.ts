/** The process that floods: `node flood-load.ts <doors.json>` sends as fast as it is answered, and prints what the answers were. */
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { FunctionService } from "../packages/server/src/protobuf/_generated/plinth/v1/functions_pb.js";
import { GrpcClient, type GrpcFailure } from "../packages/server/src/doors/test/grpc-client.ts";

export interface FloodDoor {
  readonly name: string;
  readonly kind: "http" | "grpc" | "smtp";
  /** Of `smtp` and `grpc`: host and port. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of `grpc`: the fields of the message; of `smtp`: the recipient. `NUMBER` in it is another number in each request. */
  readonly body: string;
  readonly clients: number;
}

export interface FloodPlan {
  readonly doors: readonly FloodDoor[];
  readonly durationMs: number;
}

/** By door: how often each answer came. */
export type FloodCounts = Readonly<Record<string, Readonly<Record<string, number>>>>;

type Send = () => Promise<string>;

let sentRequests = 0;

if (import.meta.main) {
  const plan = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as FloodPlan;
  const endMs = performance.now() + plan.durationMs;
  const counts: Record<string, Record<string, number>> = {};
  await Promise.all(
    plan.doors.map(async (door) => {
      const counted: Record<string, number> = {};
      counts[door.name] = counted;
      await Promise.all(
        Array.from({ length: door.clients }, async () => {
          const send = sender(door);
          while (performance.now() < endMs) {
            const answer = await send().catch((error: unknown) => (error instanceof Error ? error.message.slice(0, 40) : "failed"));
            counted[answer] = (counted[answer] ?? 0) + 1;
            // Who is cut off does not spin.
            if (!/^\d/.test(answer)) await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }),
      );
    }),
  );
  console.log(JSON.stringify(counts));
  process.exit(0);
}

function sender(door: FloodDoor): Send {
  if (door.kind === "grpc") return grpcSender(door);
  return door.kind === "smtp" ? () => mail(door) : httpSender(door);
}

function httpSender({ url, headers, body }: FloodDoor): Send {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return () =>
    new Promise((resolve, reject) => {
      const bytes = Buffer.from(body.replace("NUMBER", `${++sentRequests}`));
      const sent = request(url, { agent, method: "POST", headers: { ...headers, "content-length": bytes.length } }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += text.length < 2000 ? chunk.toString() : ""));
        response.on("error", reject);
        response.on("end", () => {
          const code = /"code":"([A-Za-z]+)"/.exec(text)?.[1] ?? "";
          resolve(`${response.statusCode ?? 0}${code === "" ? "" : ` ${code}`}`);
        });
      });
      sent.on("error", reject);
      sent.end(bytes);
    });
}

function grpcSender({ url, headers, body }: FloodDoor): Send {
  const client = new GrpcClient(url, headers["authorization"]?.replace("Bearer ", ""));
  const message = JSON.parse(body) as { readonly operation: string; readonly input: { readonly _id: string } };
  const options = { metadata: { "x-plinth-tenant": headers["x-plinth-tenant"] ?? "" }, deadlineMs: 60_000 };
  return async () => {
    try {
      const { invocation } = await client.one(FunctionService.method.executeOperation, message, options);
      return invocation?.exitCode === 0 ? "0" : `0 ${invocation?.failure?.code ?? "failed"}`;
    } catch (error) {
      const { code, info } = error as GrpcFailure;
      return `${code} ${info?.reason ?? ""}`;
    }
  };
}

/** One email on a connection of its own, as senders without a pool send them. */
function mail({ url, body }: FloodDoor): Promise<string> {
  const { hostname, port } = new URL(`smtp://${url}`);
  const lines = ["EHLO flood.test", "MAIL FROM:<a@flood.test>", `RCPT TO:<${body}>`, "DATA", "Subject: x\r\n\r\ntext\r\n.", "QUIT"];
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let last = "";
    let turn = 0;
    socket.setTimeout(20_000, () => socket.destroy(new Error("silence")));
    socket.on("error", reject);
    socket.on("close", () => resolve(last));
    let buffered = "";
    socket.on("data", (chunk: Buffer) => {
      buffered += chunk.toString("latin1");
      if (!/(^|\r\n)\d{3} [^\r]*\r\n$/.test(buffered)) return;
      const code = /(?:^|\r\n)(\d{3}) [^\r]*\r\n$/.exec(buffered)?.[1] ?? "";
      buffered = "";
      if (turn < lines.length) last = code;
      if (code >= "400" || turn >= lines.length) {
        socket.destroy();
        return;
      }
      socket.write(`${lines[turn++] ?? ""}\r\n`);
    });
  });
}
