/** Categories J, K and O: the border of the isolate, leaks between calls, output and error texts. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, send } from "../../packages/cli/src/client.ts";
import { callFunction, forTenant } from "../../tools/local-host.ts";
import { AbuseHost, pause } from "./abuse-host.ts";

let abuse: AbuseHost;

beforeAll(async () => {
  abuse = await AbuseHost.start();
});

afterAll(async () => {
  await abuse.stop();
});

describe("J the border of the isolate", () => {
  test("J01 no constructor leads to another realm", async () => {
    expect(await abuse.attack("guest:J01")).toMatchObject({ status: "success", value: [] });
  });

  test("J02 no object of the bridge is reachable", async () => {
    expect(await abuse.attack("guest:J02")).toMatchObject({ status: "success", value: [] });
  });

  test("J04 breaking the globals breaks one call only", async () => {
    await abuse.attack("guest:J04");
    expect((await abuse.callAsAttacker("guest:marks")).status).toBe("success");
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7])("J05 throwing odd value %i is a bounded error of the function", async (index) => {
    const result = await abuse.attack("guest:J05", { index });
    expect(result.status).toBe("error");
    expect(result.message.length).toBeLessThan(40_000);
    expect(result.message).not.toMatch(/internal error/i);
  });

  test.each([0, 1, 2, 3, 4, 5])("J06 returning odd value %i is refused with words", async (index) => {
    const result = await abuse.attack("guest:J06", { index });
    expect(result.status).toBe("error");
    expect(result.message).not.toMatch(/internal error/i);
  });

  test("J08 prototype keys stay plain data or are refused, and pollute nothing", async () => {
    const response = await fetch(`${abuse.host.connection.url}/api/function`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${abuse.host.connection.key}` },
      body: '{"path":"guest:J08","args":{"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}}},"format":"json"}',
    });
    expect(await response.text()).not.toContain('"polluted":"yes"}},"polluted"');
    expect(await abuse.callAsAttacker("guest:J08", {})).toMatchObject({ value: { polluted: "no" } });
  });

  test("J09 dynamic import reaches nothing", async () => {
    expect((await abuse.attack("guest:J09")).status).toBe("error");
  });

  test("D08 no specifier leads out of the bundle", async () => {
    expect(await abuse.attack("guest:D08")).toMatchObject({ status: "success", value: [] });
  });

  test("J10 code made at run time sees the same empty realm", async () => {
    const { value, status } = await abuse.attack("guest:J10");
    expect(status === "error" || value === "undefined" || value === "none").toBe(true);
  });

  test("J12 effects after the end of a call have no effect", async () => {
    await abuse.attack("guest:J12");
    await pause(200);
    expect(await abuse.callAsAttacker("guest:marks")).toMatchObject({ value: 0 });
  });

  test("J13 a hundred thousand calls at once meet the limit", async () => {
    const result = await abuse.attack("guest:J13");
    expect(result.status === "error" || Number(result.value) > 0).toBe(true);
  });

  test("J14 a query may do what queries may do, and nothing else", async () => {
    const { value } = await abuse.attack("guest:J14");
    expect(value).toHaveLength(6);
    expect(await abuse.callAsAttacker("guest:marks")).toMatchObject({ value: 0 });
  });
});

describe("K leaks between calls", () => {
  test("K01 what one call leaves in globals and prototypes the next does not find", async () => {
    await abuse.attack("guest:leave");
    for (let i = 0; i < 20; i += 1) {
      expect(await abuse.callAsAttacker("guest:find")).toMatchObject({ value: { global: "nothing", prototype: "nothing", mapped: [2] } });
    }
  });

  test("K02 nor does another tenant", async () => {
    await abuse.attack("guest:leave");
    expect(await callFunction(forTenant(abuse.host.connection, "canary"), "guest:find", {})).toMatchObject({
      global: "nothing",
      prototype: "nothing",
    });
  });

  test("K09 a revoked key is refused at once", async () => {
    const created = (await call(abuse.host.connection, "/v1/keys", { body: { scopes: ["invoke"] } })) as { id: string; key: string };
    const list = () =>
      fetch(`${abuse.host.connection.url}/v1/functions/${encodeURIComponent("guest:marks")}/execute`, {
        method: "POST",
        headers: { authorization: `Bearer ${created.key}`, "content-type": "application/json" },
        body: '{"args":{}}',
      });
    expect((await list()).status).toBe(200);
    await call(abuse.host.connection, `/v1/keys/${created.id}`, { method: "DELETE" });
    expect((await list()).status).toBe(401);
  });

  test("K10 random values do not repeat over calls", async () => {
    const values = new Set<unknown>();
    for (let i = 0; i < 40; i += 1) for (const value of (await abuse.callAsAttacker("guest:random")).value as unknown[]) values.add(value);
    expect(values.size).toBe(80);
  });
});

describe("O output and error texts", () => {
  test("J16 O01 O02 O03 floods of console output are cut, and counted", async () => {
    const { status, logLines } = await abuse.attack("guest:J16");
    expect(status).toBe("success");
    expect(logLines.length).toBeLessThanOrEqual(257);
    expect(logLines.join("").length).toBeLessThan(256 * 5000);
  });

  test("H08 O05 control characters of error texts are escaped", async () => {
    const { message } = await abuse.attack("guest:throwInternal");
    // eslint-disable-next-line no-control-regex -- the point of the test
    expect(message).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/);
  });

  test.each([0, 1, 2, 3])("H07 forged data %i of an error adds nothing to the answer and breaks none", async (index) => {
    for (const door of ["/api/function", `/v1/functions/${encodeURIComponent("guest:H07")}/execute`]) {
      const response = await send(abuse.host.connection, door, { body: { path: "guest:H07", args: { index } } });
      const text = await response.text();
      expect([response.status, text.includes("forged"), JSON.parse(text)]).toMatchObject([
        200,
        true,
        { status: door.startsWith("/api") ? "error" : "failed" },
      ]);
      expect(text).not.toMatch(/"(errorData|data)":/);
    }
  });

  test("O06 O07 no path or frame of the host stands in an error", async () => {
    for (const path of ["guest:throwInternal", "guest:J09", "cpu:A01", "memory:B09"]) {
      const { message } = await abuse.callAsAttacker(path);
      expect(message).not.toMatch(/packages\/|node_modules|node:internal|\/app\/|isolated-vm/);
    }
  });
});
