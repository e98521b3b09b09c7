/** Emails over real SMTP and HTTP, to a running automation. */
import { createServer, connect, type Socket } from "node:net";
import { createTransport, type Transporter } from "nodemailer";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { eventHost, listen, succeed, tellingPackage, type EventHost, type Listener } from "../events/event-host.ts";
import { startLocalHost } from "../../tools/local-host.ts";

let host: EventHost;
let listener: Listener;
let smtpPort: number;
let address: string;
let pickyAddress: string;
let url: string;
let snapIn: string;
let transport: Transporter;

interface Source {
  readonly name: string;
  readonly triggerUrl: string;
  readonly emailAddress: string;
  readonly setupInstructions: string;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof bound === "object" && bound !== null ? bound.port : 0;
}

beforeAll(async () => {
  listener = await listen();
  smtpPort = await freePort();
  const args = ["--egress-allow-private", `127.0.0.1:${listener.port}`, "--warm-runners", "1"];
  host = eventHost(await startLocalHost([...args, "--smtp-port", String(smtpPort), "--smtp-domain", "mail.test"]));
  snapIn = await host.bring(
    "mails",
    tellingPackage({
      name: "mails",
      port: listener.port,
      sources: `    - name: inbox
      type: email-forward
      setup_instructions: "Forward to {{source.email_address}}"
    - name: picky
      type: email-forward
      config:
        allowlist: ["boss@company.test", "friends.test"]
`,
      automations: `  - name: inbox
    source: inbox
    event_types: [email.receive]
    function: tell
  - name: picky
    source: picky
    event_types: [email.receive]
    function: tell
`,
    }),
  );
  const { json } = await succeed(host.send(`/v1/snap-ins/${snapIn}`));
  const sources = json["eventSources"] as readonly Source[];
  const inbox = sources.find(({ name }) => name === "inbox");
  address = inbox?.emailAddress ?? "";
  url = inbox?.triggerUrl ?? "";
  pickyAddress = sources.find(({ name }) => name === "picky")?.emailAddress ?? "";
  expect(inbox?.setupInstructions).toBe(`Forward to ${address}`);
  expect(address).toMatch(/^[0-9a-f]{48}@mail\.test$/);
  transport = createTransport({ host: "127.0.0.1", port: smtpPort, ignoreTLS: true });
}, 90_000);
afterAll(async () => {
  await host.local.stop();
  await listener.close();
});
beforeEach(() => {
  listener.received.length = 0;
});

const comes = (look: () => void) => vi.waitFor(look, { timeout: 30_000, interval: 50 });
const subjects = () => listener.received.map(({ payload }) => payload["subject"]);

/** Says lines to the port and gives back what it answers. */
async function dialogue(lines: readonly string[]): Promise<readonly string[]> {
  const socket: Socket = connect(smtpPort, "127.0.0.1");
  const answers: string[] = [];
  let pending = [...lines];
  return await new Promise((resolve, reject) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      for (let end = text.indexOf("\r\n"); end !== -1; end = text.indexOf("\r\n")) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        if (/^[0-9]{3}-/.test(line)) continue;
        answers.push(line);
        const [next, ...rest] = pending;
        pending = rest;
        if (next === undefined) socket.end();
        else socket.write(`${next}\r\n`);
      }
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answers));
  });
}

describe("emails over SMTP", { timeout: 60_000 }, () => {
  it("M1 become events with their files", async () => {
    const sent = await transport.sendMail({
      envelope: { from: "bounces@x.test", to: address.toUpperCase().replace("MAIL.TEST", "mail.test") },
      from: "Ängström <a@x.test>",
      to: ["team@company.test", "other@company.test"],
      replyTo: "reply@x.test",
      inReplyTo: "<first@x.test>",
      references: ["<first@x.test>", "<second@x.test>"],
      subject: "Grüße 🎉",
      text: "the text",
      html: "<b>the text</b>",
      attachments: [{ filename: "ü.bin", content: Buffer.from([0, 255, 1]), contentType: "application/x-own" }],
    });
    expect(sent.response).toMatch(/^250 /);
    await comes(() => expect(listener.received).toHaveLength(1));
    const [event] = listener.received;
    expect(event?.execution_metadata.event_type).toBe("email.receive");
    expect(event?.payload).toMatchObject({
      emailBody: expect.stringContaining("the text") as string,
      htmlBody: expect.stringContaining("<b>the text</b>") as string,
      from: ["a@x.test"],
      to: ["team@company.test", "other@company.test"],
      cc: [],
      bcc: [],
      subject: "Grüße 🎉",
      messageId: String(sent.messageId).replace(/[<>]/g, ""),
      inReplyToId: { stringValues: ["first@x.test"] },
      referenceIds: { stringValues: ["first@x.test", "second@x.test"] },
      replyTo: { stringValues: ["reply@x.test"] },
      sentOn: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      attachments: [{ name: "ü.bin", type: "application/x-own" }],
      isTruncated: false,
      isAutomatic: false,
      envelope: { from: "bounces@x.test" },
    });
    const [file] = (event?.payload["artifactIds"] ?? []) as readonly string[];
    const key = { headers: { authorization: `Bearer ${host.local.connection.key}` } };
    const read = await fetch(`${host.local.connection.url}/v1/artefacts/${file}`, key);
    expect([...new Uint8Array(await read.arrayBuffer())]).toEqual([0, 255, 1]);
    expect(read.headers.get("content-disposition")).toContain("attachment");
    const raw = await fetch(`${host.local.connection.url}/v1/artefacts/${String(event?.payload["rawBodyartifactId"])}`, key);
    expect(await raw.text()).toContain("Message-ID");
    expect((await fetch(`${host.local.connection.url}/v1/artefacts/${file}`)).status).toBe(401);
  });

  it("M2 the same bytes are one event", async () => {
    const raw = "From: a@x.test\r\nSubject: twice\r\n\r\nhello\r\n";
    for (let i = 0; i < 2; i++) await transport.sendMail({ envelope: { from: "a@x.test", to: address }, raw });
    await transport.sendMail({ envelope: { from: "a@x.test", to: address }, raw: raw.replace("twice", "once") });
    await comes(() => expect(subjects()).toContain("once"));
    expect(subjects()).toHaveLength(2);
  });

  it("S1 other recipients are refused before the email is sent, and nothing is relayed", async () => {
    const unknown = `${"0".repeat(48)}@mail.test`;
    for (const to of [unknown, "somebody@elsewhere.test", `${url.split("/").at(-1)}x@mail.test`]) {
      await expect(transport.sendMail({ envelope: { from: "a@x.test", to }, raw: "Subject: x\r\n\r\nx" })).rejects.toMatchObject({
        responseCode: 550,
      });
    }
  });

  it("senders that are not on the list are refused, whole domains and forwarding mailboxes are taken", async () => {
    const send = (from: string, more = "", envelopeFrom = "relay@y.test") =>
      transport.sendMail({
        envelope: { from: envelopeFrom, to: pickyAddress },
        raw: `From: ${from}\r\nSubject: ${from}${more}\r\n\r\nx\r\n`,
      });
    await expect(send("a@x.test")).rejects.toMatchObject({ responseCode: 550 });
    await expect(send("a@sub.friends.test")).rejects.toMatchObject({ responseCode: 550 });
    await expect(send("boss@company.test.evil.test")).rejects.toMatchObject({ responseCode: 550 });
    await send("BOSS@company.test");
    await send("b@friends.test");
    await send("c@x.test", "\r\nX-Forwarded-For: boss@company.test list@mail.test");
    await send("d@x.test", "", "boss@company.test");
    await comes(() => expect(new Set(subjects())).toEqual(new Set(["BOSS@company.test", "b@friends.test", "c@x.test", "d@x.test"])));
  });

  it("S2 one recipient that refuses does not undo another", async () => {
    await transport.sendMail({
      envelope: { from: "z@x.test", to: [address, pickyAddress] },
      raw: "From: z@x.test\r\nSubject: both\r\n\r\nx",
    });
    await comes(() => expect(subjects()).toEqual(["both"]));
  });

  it("bounces and answers of machines are named", async () => {
    await dialogue(["EHLO x.test", "MAIL FROM:<>", `RCPT TO:<${address}>`, "DATA", "Subject: bounce\r\n\r\n..dots\r\n.", "QUIT"]);
    await comes(() => expect(subjects()).toEqual(["bounce"]));
    expect(listener.received[0]?.payload).toMatchObject({
      isAutomatic: true,
      emailBody: ".dots\n",
      envelope: { from: null },
      sentOn: null,
    });
  });

  it("S3 large emails, long lines and commands that nobody knows", async () => {
    const size = await dialogue(["EHLO x.test", `MAIL FROM:<a@x.test> SIZE=${limit("emailBytesMax") + 1}`, "QUIT"]);
    expect(size[2]).toMatch(/^552 /);
    const large = transport.sendMail({
      envelope: { from: "a@x.test", to: address },
      raw: `Subject: large\r\n\r\n${"x".repeat(70)}\r\n`.repeat(2) + `${"y".repeat(1000)}\r\n`.repeat(11_000),
    });
    await expect(large).rejects.toMatchObject({ responseCode: 552 });
    expect((await dialogue(["EHLO x.test", "AUTH PLAIN AGEAYg==", "QUIT"]))[2]).toMatch(/^50[0-9] /);
    expect((await dialogue(["EHLO x.test", "XCLIENT ADDR=1.2.3.4", "QUIT"]))[2]).toMatch(/^5/);
    const many = await dialogue([
      "EHLO x.test",
      "MAIL FROM:<a@x.test>",
      ...Array.from({ length: limit("smtpRecipientsMax") + 1 }, () => `RCPT TO:<${address}>`),
      "QUIT",
    ]);
    expect(many.at(-2)).toMatch(/^45|^55|^250/);
    await transport.sendMail({ envelope: { from: "a@x.test", to: address }, raw: "Subject: still\r\n\r\nx" });
    await comes(() => expect(subjects()).toEqual(["still"]));
  });

  it("hostile structures end, and emails after them are taken", async () => {
    const nested = Array.from({ length: 300 }, (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`).join("");
    const parts = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n".repeat(2000)}--b--\r\n`;
    for (const raw of [nested, parts, `${"X-H: y\r\n".repeat(60_000)}\r\nx`]) {
      await expect(transport.sendMail({ envelope: { from: "a@x.test", to: address }, raw })).rejects.toMatchObject({ responseCode: 550 });
    }
    const cut = `Subject: cut\r\n\r\n${`${'"'.repeat(900)}\r\n`.repeat(1000)}`;
    await transport.sendMail({ envelope: { from: "a@x.test", to: address }, raw: cut });
    await comes(() =>
      expect(listener.received.map(({ payload }) => [payload["subject"], payload["isTruncated"]])).toEqual([["cut", true]]),
    );
  });
});

describe("emails over HTTP", { timeout: 60_000 }, () => {
  const post = (body: string, to = url) => fetch(to, { method: "POST", body, headers: { "content-type": "message/rfc822" } });

  it("become events", async () => {
    const response = await post(
      "From: a@x.test\r\nSubject: by http\r\nAuto-Submitted: auto-replied\r\n\r\nhello\r\n",
      `${url}?from=b@x.test`,
    );
    expect([response.status, await response.json()]).toEqual([202, { id: expect.any(String) as string, isNew: true }]);
    await comes(() => expect(subjects()).toEqual(["by http"]));
    expect(listener.received[0]?.payload).toMatchObject({ isAutomatic: true, envelope: { from: "b@x.test", to: [] } });
  });

  it("other tokens take nothing, and webhooks are another door", async () => {
    expect((await post("x", url.replace(/.$/, "x"))).status).toBe(404);
    expect((await post("x", url.replace("/v1/email/", "/v1/events/"))).status).toBe(404);
  });

  it("a deactivated package takes nothing", async () => {
    await succeed(host.send(`/v1/snap-ins/${snapIn}/deactivate`, { body: {} }));
    expect((await post("Subject: x\r\n\r\nx")).status).toBe(404);
    await expect(transport.sendMail({ envelope: { from: "a@x.test", to: address }, raw: "Subject: x\r\n\r\nx" })).rejects.toMatchObject({
      responseCode: 550,
    });
  });
});
