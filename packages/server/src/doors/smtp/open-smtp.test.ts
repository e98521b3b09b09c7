/** What emails to one tenant take of the SMTP port. */
import { createTransport } from "nodemailer";
import { afterEach, expect, it } from "vitest";
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import { openSmtp, type SmtpDoor, type SmtpOptions } from "./open-smtp.ts";

let door: SmtpDoor;
let taken: string[];
/** What `take` waits for. */
let busy: Promise<void> = Promise.resolve();
afterEach(() => door.close(AbortSignal.abort()));

/** Addresses of the tenant `a` begin with that letter. */
async function open(perTenant: Partial<SmtpOptions["perTenant"]>): Promise<void> {
  taken = [];
  const emails = {
    check: (token: string) => Promise.resolve(token.slice(0, 1)),
    take: async (token: string) => {
      taken.push(token);
      await busy;
      return { id: token, isNew: true };
    },
  };
  const context = { emails, log: { error: () => undefined }, runtime: createSystemRuntime() };
  const limits = { what: "this tenant", perSecond: 0.001, burst: 100, runningMax: 100, bytesMax: 1_000_000, ...perTenant };
  door = await openSmtp(context, { address: "127.0.0.1", port: 0, domain: "mail.test", perTenant: limits });
}

async function send(to: string | readonly string[], text = "hello"): Promise<string> {
  const transport = createTransport({ host: "127.0.0.1", port: door.port, ignoreTLS: true });
  const list = typeof to === "string" ? [to] : to;
  try {
    await transport.sendMail({ from: "me@test", to: list.map((name) => `${name}@mail.test`), text });
    return "taken";
  } catch (error) {
    return String((error as { readonly responseCode?: number }).responseCode);
  } finally {
    transport.close();
  }
}

it("S4 emails to one tenant have a rate, and those to others go on", async () => {
  await open({ burst: 2 });
  expect([await send("a1"), await send("a2"), await send("a3")]).toEqual(["taken", "taken", "451"]);
  expect([await send("b1"), await send("a4"), await send("b2")]).toEqual(["taken", "451", "taken"]);
  expect(taken).toEqual(["a1", "a2", "b1", "b2"]);
});

it("S4 emails to one tenant that are being taken are bounded, and places come back", async () => {
  await open({ runningMax: 2 });
  const { promise, resolve } = Promise.withResolvers<void>();
  busy = promise;
  const first = [send("a1"), send(["a2", "b2"])];
  await expect.poll(() => taken.length, { timeout: 20_000 }).toBe(2);
  expect(await send("a3")).toBe("451");
  const other = send("b3");
  await expect.poll(() => taken, { timeout: 20_000 }).toContain("b3");
  resolve();
  expect(await Promise.all([...first, other])).toEqual(["taken", "taken", "taken"]);
  expect(await send("a4")).toBe("taken");
});

it("S4 the bytes of one tenant's emails are bounded, and the room comes back", async () => {
  await open({ bytesMax: 2000 });
  const { promise, resolve } = Promise.withResolvers<void>();
  busy = promise;
  const first = send("a1", "x".repeat(500));
  await expect.poll(() => taken.length, { timeout: 20_000 }).toBe(1);
  expect(await send("a2", "x".repeat(1900))).toBe("452");
  const other = send("b1", "x".repeat(500));
  await expect.poll(() => taken, { timeout: 20_000 }).toContain("b1");
  resolve();
  expect(await Promise.all([first, other])).toEqual(["taken", "taken"]);
  expect(await send("a3", "x".repeat(500))).toBe("taken");
  expect(taken).toEqual(["a1", "b1", "a3"]);
});
