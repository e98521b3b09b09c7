/** Category N of the abuse suite: outbound network. Every case runs against the real egress and real local servers. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readdirSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { createEgress } from "@plinth/server/sandbox/egress/create-egress.ts";
import { selfSigned } from "./network/certificate.ts";
import { outcome, text, World } from "./network/world.ts";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

test("an allowed address answers, and the response arrives whole", async () => {
  const server = await world.server((request, response) => {
    response.setHeader("set-cookie", ["a=1", "b=2"]);
    response.writeHead(201, "Made");
    request.pipe(response);
  });
  const fetch = world.egress({ allow: [`127.0.0.1:${server.port}`] });
  const response = await fetch({
    url: `http://127.0.0.1:${server.port}/p?q=1#f`,
    method: "post",
    headers: [
      ["X-A", "1"],
      ["x-a", "2"],
    ],
    bodyBase64: btoa("hello"),
  });
  expect(text(response)).toBe("hello");
  expect(response).toMatchObject({ status: 201, statusText: "Made", redirected: false, url: `http://127.0.0.1:${server.port}/p?q=1` });
  expect(response.headers.filter(([name]) => name === "set-cookie")).toEqual([
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
  ]);
  expect(server.requests[0]).toMatchObject({
    method: "POST",
    url: "/p?q=1",
    headers: { host: `127.0.0.1:${server.port}`, "content-length": "5", "x-a": "1, 2" },
  });
});

describe("N02 a permission for one host is not one for another", () => {
  test("prefix, suffix, userinfo and fragment tricks", async () => {
    const server = await world.server((_, response) => response.end("secret"));
    const { port } = server;
    world.name("allowed.test", ["127.0.0.1"]);
    world.name("allowed.test.evil.test", ["127.0.0.1"]);
    world.name("evil-allowed.test", ["127.0.0.1"]);
    world.name("evil.test", ["127.0.0.1"]);
    const fetch = world.egress({ allow: [`allowed.test:${port}`], ports: [port] });
    const tricks = [
      `http://allowed.test.evil.test:${port}/`,
      `http://evil-allowed.test:${port}/`,
      `http://evil.test:${port}/#allowed.test:${port}`,
      `http://allowed.test:${port}@evil.test:${port}/`,
      `http://evil.test:${port}\\@allowed.test:${port}/`,
      `http://evil.test:${port}/?allowed.test:${port}`,
      `http://user@allowed.test:${port}/`,
      `http://:secret@allowed.test:${port}/`,
    ];
    for (const url of tricks) expect([url, await outcome(fetch({ url }))]).toEqual([url, "FetchRefused"]);
    expect(server.requests).toEqual([]);
    expect(text(await fetch({ url: `http://ALLOWED.test.:${port}/` }))).toBe("secret");
    expect(server.requests[0]?.headers.host).toBe(`allowed.test:${port}`);
  });

  test("a URL that names credentials does not show them in the error", async () => {
    const fetch = world.egress();
    await expect(fetch({ url: "https://user:hunter2@example.com/a?token=hunter2#hunter2" })).rejects.not.toThrow(/hunter2/);
    await expect(fetch({ url: "https://[hunter2" })).rejects.not.toThrow(/hunter2/);
  });
});

describe("N03 IPv4 addresses that are not public, in every textual form", () => {
  const FORMS = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f.0.0.1",
    "0x7f000001",
    "0177.0.0.1",
    "017700000001",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "１２７.0.0.1",
    "%31%32%37.0.0.1",
    "0",
    "0.0.0.0",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "a.localhost",
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "198.18.0.1",
    "192.0.2.1",
  ];
  test.each(FORMS)("%s", async (host) => {
    const server = await world.server((_, response) => response.end("secret"));
    world.name("localhost", ["127.0.0.1"]);
    world.name("a.localhost", ["127.0.0.1"]);
    const fetch = world.egress({ ports: [server.port] });
    expect(await outcome(fetch({ url: `http://${host}:${server.port}/` }))).toBe("FetchRefused");
    expect(server.requests).toEqual([]);
  });

  test("localhost is refused without an injected resolver too", async () => {
    const egress = createEgress({ policy: { allowedPrivate: [], allowedPorts: [] }, runtime: { ...NO_TIME } });
    const request = { method: "GET", headers: [], bodyBase64: null, redirect: "follow" } as const;
    const context = { tenant: "t", invocation: "i", signal: new AbortController().signal };
    expect(await outcome(egress.fetch({ ...request, url: "http://localhost/" }, context))).toBe("FetchRefused");
    await egress.close();
  });
});

describe("N04 IPv6 addresses that are not public", () => {
  const FORMS = [
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[ff02::1]",
    "[2001:db8::1]",
  ];
  test.each(FORMS)("%s", async (host) => {
    const server = await world.server((_, response) => response.end("secret"));
    const fetch = world.egress({ ports: [server.port] });
    expect(await outcome(fetch({ url: `http://${host}:${server.port}/` }))).toBe("FetchRefused");
    expect(server.requests).toEqual([]);
  });

  test("zone ids are no URL", async () => {
    expect(await outcome(world.egress()({ url: "http://[fe80::1%25eth0]/" }))).toBe("InvalidArgument");
    expect(await outcome(world.egress()({ url: "http://[::1%lo]/" }))).toBe("InvalidArgument");
  });
});

describe("N06 names with addresses that are not public", () => {
  const MIXES = [
    ["127.0.0.1"],
    ["93.184.216.34", "127.0.0.1"],
    ["127.0.0.1", "93.184.216.34"],
    ["93.184.216.34", "::1"],
    ["2606:4700::1111", "fd00::1"],
    ["::ffff:169.254.169.254"],
    ["not an address"],
  ];
  test.each(MIXES.map((mix) => [mix]))("%j", async (mix) => {
    const server = await world.server((_, response) => response.end("secret"));
    world.name("public.test", mix);
    const fetch = world.egress({ ports: [server.port] });
    expect(await outcome(fetch({ url: `http://public.test:${server.port}/` }))).toBe("FetchRefused");
    expect(server.requests).toEqual([]);
  });

  test("the refusal does not say which address it was", async () => {
    world.name("internal.test", ["10.11.12.13"]);
    await expect(world.egress()({ url: "http://internal.test/" })).rejects.not.toThrow(/10\.11/);
  });
});

describe("N07 DNS rebinding", () => {
  test("the name is asked for once, and the connection goes to that answer", async () => {
    const server = await world.server((_, response) => response.end("secret"));
    world.name("rebind.test", ["192.0.2.55"], ["127.0.0.1"]);
    // The first answer is allowed only here, through the operator's list; it leads nowhere.
    const controller = new AbortController();
    const fetch = world.egress({ allow: [`rebind.test:${server.port}`] });
    const work = outcome(fetch({ url: `http://rebind.test:${server.port}/` }, { signal: controller.signal }));
    setTimeout(() => controller.abort(), 200);
    expect(await work).toBe("FetchFailed");
    expect(world.asked).toEqual(["rebind.test"]);
    expect(server.requests).toEqual([]);
  });

  test("the next hop to the same name is checked again", async () => {
    const server = await world.server((_, response) => response.writeHead(302, { location: "http://rebind.test/" }).end());
    world.name("start.test", ["127.0.0.1"]);
    world.name("rebind.test", ["127.0.0.1"]);
    const fetch = world.egress({ allow: [`start.test:${server.port}`] });
    expect(await outcome(fetch({ url: `http://start.test:${server.port}/` }))).toBe("FetchRefused");
    expect(server.requests).toHaveLength(1);
  });
});

describe("N08 redirects", () => {
  const PRIVATE = [
    "http://127.0.0.1/",
    "http://169.254.169.254/latest/",
    "//10.0.0.1/",
    "http://[::1]/",
    "http://localhost/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "data:text/plain,x",
    "gopher://127.0.0.1/",
    "https://user@example.com/",
  ];
  test.each([301, 302, 303, 307, 308].flatMap((status) => PRIVATE.map((to) => [status, to] as const)))(
    "%i to %s",
    async (status, location) => {
      world.name("localhost", ["127.0.0.1"]);
      const server = await world.server((_, response) => response.writeHead(status, { location }).end());
      const fetch = world.egress({ allow: [`127.0.0.1:${server.port}`] });
      expect(await outcome(fetch({ url: `http://127.0.0.1:${server.port}/` }))).toBe("FetchRefused");
      expect(server.requests).toHaveLength(1);
    },
  );

  test("five are followed, the sixth is over the limit", async () => {
    const server = await world.server((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end("arrived");
      else response.writeHead(302, { location: `/${left - 1}` }).end();
    });
    const fetch = world.egress({ allow: [`127.0.0.1:${server.port}`] });
    const arrived = await fetch({ url: `http://127.0.0.1:${server.port}/5` });
    expect([text(arrived), arrived.redirected, arrived.url]).toEqual(["arrived", true, `http://127.0.0.1:${server.port}/0`]);
    expect(await outcome(fetch({ url: `http://127.0.0.1:${server.port}/6` }))).toBe("LimitExceeded");
  });

  test("a Refresh header is not followed, `manual` and `error` are obeyed", async () => {
    const server = await world.server((request, response) => {
      if (request.url === "/refresh") response.writeHead(200, { refresh: "0; url=http://127.0.0.1/" }).end("here");
      else response.writeHead(302, { location: "http://127.0.0.1/" }).end("moved");
    });
    const url = `http://127.0.0.1:${server.port}`;
    const fetch = world.egress({ allow: [`127.0.0.1:${server.port}`] });
    expect(text(await fetch({ url: `${url}/refresh` }))).toBe("here");
    const manual = await fetch({ url, redirect: "manual" });
    expect([manual.status, text(manual), manual.redirected]).toEqual([302, "moved", false]);
    expect(await outcome(fetch({ url, redirect: "error" }))).toBe("FetchFailed");
  });

  test("credentials stay with their origin, harmless headers do not", async () => {
    const other = await world.server((_, response) => response.end());
    const first = await world.server((request, response) => {
      const same = request.url === "/same";
      response.writeHead(307, { location: same ? "/other" : `http://127.0.0.1:${other.port}/` }).end();
    });
    const fetch = world.egress({ allow: [`127.0.0.1:${first.port}`, `127.0.0.1:${other.port}`] });
    const secrets = { authorization: "Bearer s", cookie: "s=1", "x-api-key": "s", "private-token": "s" };
    const headers = Object.entries({ ...secrets, accept: "text/x", "user-agent": "mine" });
    await fetch({ url: `http://127.0.0.1:${first.port}/same`, method: "PUT", headers, bodyBase64: btoa("body") });
    expect(first.requests[1]?.headers).toMatchObject({ ...secrets, accept: "text/x" });
    expect(other.requests[0]).toMatchObject({ method: "PUT", headers: { accept: "text/x", "user-agent": "mine", "content-length": "4" } });
    for (const name of Object.keys(secrets)) expect(other.requests[0]?.headers).not.toHaveProperty(name);
  });

  test("the method changes as the Fetch standard says", async () => {
    const server = await world.server((request, response) => {
      const status = Number(request.url?.slice(1));
      if (status === 200) response.end();
      else response.writeHead(status, { location: "/200" }).end();
    });
    const fetch = world.egress({ allow: [`127.0.0.1:${server.port}`] });
    const become = async (status: number, method: string): Promise<string | undefined> => {
      await fetch({
        url: `http://127.0.0.1:${server.port}/${status}`,
        method,
        bodyBase64: method === "HEAD" ? null : btoa("b"),
        headers: [["content-type", "text/x"]],
      });
      const last = server.requests.at(-1);
      expect(last?.headers["content-type"] !== undefined).toBe(last?.method === method);
      return last?.method;
    };
    expect(await become(301, "POST")).toBe("GET");
    expect(await become(302, "PUT")).toBe("PUT");
    expect(await become(303, "PUT")).toBe("GET");
    expect(await become(303, "HEAD")).toBe("HEAD");
    expect(await become(307, "POST")).toBe("POST");
    expect(await become(308, "PATCH")).toBe("PATCH");
  });

  test("https does not become http, http may become https", async () => {
    const certificate = selfSigned({ names: ["secure.test"] });
    const plain = await world.server((_, response) =>
      response.writeHead(302, { location: `https://secure.test:${secure.port}/end` }).end(),
    );
    const secure = await world.server((request, response) => {
      if (request.url === "/end") response.end("secure");
      else response.writeHead(302, { location: `http://plain.test:${plain.port}/` }).end();
    }, certificate);
    world.name("secure.test", ["127.0.0.1"]);
    world.name("plain.test", ["127.0.0.1"]);
    const fetch = world.egress({ allow: [`secure.test:${secure.port}`, `plain.test:${plain.port}`], authorities: [certificate.cert] });
    expect(text(await fetch({ url: `http://plain.test:${plain.port}/` }))).toBe("secure");
    expect(await outcome(fetch({ url: `https://secure.test:${secure.port}/` }))).toBe("FetchRefused");
    expect(plain.requests).toHaveLength(1);
  });
});

describe("N10 the platform's own services", () => {
  test("listening ports of the host are refused on every own address", async () => {
    const server = await world.server((_, response) => response.end("admin"), undefined, "0.0.0.0");
    const own = Object.values(networkInterfaces())
      .flatMap((entries) => entries ?? [])
      .map((entry) => (entry.family === "IPv6" ? `[${entry.address}]` : entry.address));
    const fetch = world.egress({ ports: [server.port] });
    for (const host of own) expect([host, await outcome(fetch({ url: `http://${host}:${server.port}/` }))]).toEqual([host, "FetchRefused"]);
    expect(server.requests).toEqual([]);
  });

  test("only what packages call back is reached, and no redirect leads there", async () => {
    const server = await world.server((_, response) => response.end("api"));
    const away = await world.server((_, response) => response.writeHead(302, { location: `http://127.0.0.1:${server.port}/` }).end());
    const other = await world.server((_, response) => response.end("other"));
    world.name("away.test", ["127.0.0.1"]);
    const fetch = world.egress({ allow: [`away.test:${away.port}`] });
    const callback = `http://127.0.0.1:${server.port}`;
    expect(text(await fetch({ url: `${callback}/works.list` }, { callback }))).toBe("api");
    expect(await outcome(fetch({ url: `${callback}/works.list` }))).toBe("FetchRefused");
    expect(await outcome(fetch({ url: `http://127.0.0.1:${other.port}/` }, { callback }))).toBe("FetchRefused");
    expect(await outcome(fetch({ url: `http://away.test:${away.port}/` }, { callback }))).toBe("FetchRefused");
    expect(server.requests).toHaveLength(1);
  });

  test("a public address of the host itself is refused, however it is written", async () => {
    world.name("own.test", ["93.184.216.34"]);
    world.name("own6.test", ["2606:4700:0:0::1111"]);
    const fetch = world.egress({ ownAddresses: () => ["93.184.216.34", "2606:4700::1111"] });
    for (const url of ["http://93.184.216.34/", "http://own.test/", "http://own6.test/", "http://[2606:4700:0:0:0:0:0:1111]/"]) {
      expect([url, await outcome(fetch({ url }))]).toEqual([url, "FetchRefused"]);
    }
  });

  test.each(["unix:/run/plinth.sock", "http+unix://%2Frun%2Fx/", "file:///etc/passwd", "ws://example.com/", "blob:x", "javascript:1"])(
    "%s",
    async (url) => {
      expect(await outcome(world.egress()({ url }))).toBe("FetchRefused");
    },
  );
});

describe("N11 ports", () => {
  test.each([1, 22, 25, 110, 3210, 3211, 5432, 6379, 9200, 11211, 27017, 65535])("%i is refused", async (port) => {
    expect(await outcome(world.egress()({ url: `http://93.184.216.34:${port}/` }))).toBe("FetchRefused");
    expect(await outcome(world.egress()({ url: `https://[2606:4700::1111]:${port}/` }))).toBe("FetchRefused");
  });
});

describe("N12 headers", () => {
  const SPLITS = ["a\r\nX-B: 1", "a\nb", "a\rb", "a\0b", "a\u2028b", "ĀĊ", "a\u007f"];
  test.each(SPLITS)("value %j", async (value) => {
    expect(await outcome(world.egress()({ url: "http://example.com/", headers: [["x-a", value]] }))).toBe("InvalidArgument");
  });
  test.each(["", "a b", "a:", "a\r\nb", "ä", "(a)", "a\0"])("name %j", async (name) => {
    expect(await outcome(world.egress()({ url: "http://example.com/", headers: [[name, "1"]] }))).toBe("InvalidArgument");
  });
  const FRAMING = [
    "Host",
    "Content-Length",
    "Transfer-Encoding",
    "Connection",
    "Upgrade",
    "Keep-Alive",
    "TE",
    "Trailer",
    "Expect",
    "Proxy-Authorization",
    "proxy-connection",
    "HTTP2-Settings",
  ];
  test.each(FRAMING)("%s is the host's", async (name) => {
    expect(await outcome(world.egress()({ url: "http://example.com/", headers: [[name, "1"]] }))).toBe("FetchRefused");
  });
  test("methods and paths cannot split a request", async () => {
    const server = await world.server((_, response) => response.end("ok"));
    const fetch = world.egress({ allow: [`127.0.0.1:${server.port}`] });
    for (const method of ["GET / HTTP/1.1\r\nX:", "", "G\0T", "GET "])
      expect(await outcome(fetch({ url: `http://127.0.0.1:${server.port}/`, method }))).toBe("InvalidArgument");
    await fetch({ url: `http://127.0.0.1:${server.port}/a\r\nX-B: 1\r\n b?c\r\nd` });
    expect(server.requests.map((request) => request.url)).toEqual(["/aX-B:%201%20b?cd"]);
    expect(server.requests[0]?.headers).not.toHaveProperty("x-b");
  });
  test("counts and sizes are limited in both directions", async () => {
    const server = await world.server((request, response) => {
      if (request.url === "/many") for (let index = 0; index < 200; index += 1) response.setHeader(`x-${index}`, "1");
      if (request.url === "/large") response.setHeader("x-large", "a".repeat(40_000));
      response.end("ok");
    });
    const url = `http://127.0.0.1:${server.port}`;
    const fetch = world.egress({ allow: [`127.0.0.1:${server.port}`] });
    const many = Array.from({ length: 101 }, (_, index) => [`x-${index}`, "1"] as const);
    expect(await outcome(fetch({ url, headers: many }))).toBe("LimitExceeded");
    expect(await outcome(fetch({ url, headers: [["x", "a".repeat(17_000)]] }))).toBe("LimitExceeded");
    expect(await outcome(fetch({ url: `${url}/many` }))).toBe("LimitExceeded");
    expect(await outcome(fetch({ url: `${url}/large` }))).toBe("LimitExceeded");
    expect(await outcome(fetch({ url: `${url}/${"a".repeat(17_000)}` }))).toBe("LimitExceeded");
    expect(server.requests).toHaveLength(2);
  });
  test("a response with ambiguous framing is not accepted", async () => {
    const server = await world.raw((socket) =>
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
    );
    expect(await outcome(world.egress({ allow: [`127.0.0.1:${server.port}`] })({ url: `http://127.0.0.1:${server.port}/` }))).toBe(
      "FetchFailed",
    );
  });
});

describe("N14 many at the same time", () => {
  test("caps hold per invocation and per tenant, the rest waits, and other tenants do not", async () => {
    let open = 0;
    let most = 0;
    const releases: (() => void)[] = [];
    const server = await world.server((_, response) => {
      open += 1;
      most = Math.max(most, open);
      releases.push(() => {
        open -= 1;
        response.end("ok");
      });
    });
    const url = `http://127.0.0.1:${server.port}/`;
    const fetch = world.egress({ allow: [`127.0.0.1:${server.port}`] });
    /** Waits until so many are open, and a little for those that should not be. */
    const settle = async (expected: number): Promise<void> => {
      await expect.poll(() => open).toBeGreaterThanOrEqual(expected);
      await new Promise((resolve) => setTimeout(resolve, 100));
    };
    const crowd = Array.from({ length: 100 }, () => fetch({ url }, { tenant: "noisy", invocation: "one" }));
    await settle(16);
    expect(open).toBe(16);
    for (let index = 0; index < 100; index += 1) crowd.push(fetch({ url }, { tenant: "noisy", invocation: `i${index % 10}` }));
    await settle(64);
    expect(open).toBe(64);
    const quiet = fetch({ url }, { tenant: "quiet", invocation: "q" });
    await settle(65);
    expect(open).toBe(65);
    const draining = setInterval(() => releases.splice(0).forEach((release) => release()), 5);
    const all = await Promise.all([quiet, ...crowd]);
    clearInterval(draining);
    expect(all).toHaveLength(201);
    expect(most).toBe(65);
    // The counts are right afterwards too.
    const again = Array.from({ length: 100 }, (_, index) => fetch({ url }, { tenant: "noisy", invocation: `i${index % 10}` }));
    await settle(64);
    expect(open).toBe(64);
    const drainingAgain = setInterval(() => releases.splice(0).forEach((release) => release()), 5);
    await Promise.all(again);
    clearInterval(drainingAgain);
  });

  test("a waiting fetch that is cancelled leaves, and frees nothing that it did not hold", async () => {
    const releases: (() => void)[] = [];
    const server = await world.server((_, response) => void releases.push(() => response.end("ok")));
    const url = `http://127.0.0.1:${server.port}/`;
    const fetch = world.egress({ allow: [`127.0.0.1:${server.port}`] });
    const running = Array.from({ length: 16 }, () => fetch({ url }));
    const controller = new AbortController();
    const waiting = outcome(fetch({ url }, { signal: controller.signal }));
    const next = fetch({ url });
    controller.abort();
    expect(await waiting).toBe("FetchFailed");
    while (releases.length < 16) await new Promise((resolve) => setTimeout(resolve, 5));
    releases.splice(0).forEach((release) => release());
    await Promise.all(running);
    while (releases.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    releases.splice(0).forEach((release) => release());
    await next;
    expect(server.requests).toHaveLength(17);
  });

  test("2,000 may wait, no more", async () => {
    const server = await world.server(() => {});
    const fetch = world.egress({ allow: [`127.0.0.1:${server.port}`] });
    const controller = new AbortController();
    let ended = 0;
    const outcomes = Array.from({ length: 2020 }, () =>
      outcome(fetch({ url: `http://127.0.0.1:${server.port}/` }, { signal: controller.signal })).finally(() => (ended += 1)),
    );
    await expect.poll(() => ended).toBe(4);
    controller.abort();
    const counted = Object.groupBy(await Promise.all(outcomes), (each) => each);
    expect([counted["LimitExceeded"]?.length, counted["FetchFailed"]?.length]).toEqual([4, 2016]);
  });

  test("bodies that are held count against the tenant", async () => {
    const server = await world.server(() => {});
    const fetch = world.egress({ allow: [`127.0.0.1:${server.port}`] });
    const controller = new AbortController();
    const bodyBase64 = Buffer.alloc(9 * 1024 * 1024).toString("base64");
    const send = (tenant: string): Promise<string> =>
      outcome(fetch({ url: `http://127.0.0.1:${server.port}/`, method: "POST", bodyBase64 }, { tenant, signal: controller.signal }));
    const held = Array.from({ length: 14 }, () => send("noisy"));
    expect(await send("noisy")).toBe("LimitExceeded");
    const other = send("quiet");
    await new Promise((resolve) => setTimeout(resolve, 50));
    controller.abort();
    expect(new Set(await Promise.all([...held, other]))).toEqual(new Set(["FetchFailed"]));
    expect(await outcome(fetch({ url: "ftp://x/" }))).toBe("FetchRefused");
  });

  test("time is that of the call, and a silent server holds nothing after it", async () => {
    const closed: Promise<void>[] = [];
    const server = await world.raw((socket) => void closed.push(new Promise((resolve) => socket.resume().once("close", () => resolve()))));
    const fetch = world.egress({ allow: [`127.0.0.1:${server.port}`] });
    const started = performance.now();
    expect(await outcome(fetch({ url: `http://127.0.0.1:${server.port}/` }, { signal: AbortSignal.timeout(100) }))).toBe("FetchFailed");
    expect(performance.now() - started).toBeLessThan(10_000);
    await Promise.all(closed);
    expect(closed).toHaveLength(1);
  });
});

describe("N15 tunnels", () => {
  test.each(["CONNECT", "TRACE", "TRACK", "connect"])("%s", async (method) => {
    expect(await outcome(world.egress()({ url: "http://example.com/", method }))).toBe("FetchRefused");
  });
  test("a server that switches protocols is cut off", async () => {
    const server = await world.raw((socket) =>
      socket.once("data", () => socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")),
    );
    expect(await outcome(world.egress({ allow: [`127.0.0.1:${server.port}`] })({ url: `http://127.0.0.1:${server.port}/` }))).toBe(
      "FetchFailed",
    );
  });
});

describe("N16 TLS", () => {
  const trusted = selfSigned({ names: ["secure.test"] });
  const cases = [
    ["trusted", { certificate: trusted, authorities: [trusted.cert], host: "secure.test", expected: "ok" }],
    ["self-signed", { certificate: trusted, authorities: [], host: "secure.test", expected: "FetchFailed" }],
    ["another name", { certificate: trusted, authorities: [trusted.cert], host: "other.test", expected: "FetchFailed" }],
    ["an address", { certificate: trusted, authorities: [trusted.cert], host: "127.0.0.1", expected: "FetchFailed" }],
  ] as const;
  test.each(cases)("%s", async (_, { certificate, authorities, host, expected }) => {
    world.name(host, ["127.0.0.1"]);
    const server = await world.server((_request, response) => response.end("ok"), certificate);
    const fetch = world.egress({ allow: [`${host}:${server.port}`], authorities });
    expect(await outcome(fetch({ url: `https://${host}:${server.port}/` }))).toBe(expected);
    expect(server.requests).toHaveLength(expected === "ok" ? 1 : 0);
  });
  test("an expired certificate", async () => {
    const expired = selfSigned({ names: ["old.test"], expired: true });
    world.name("old.test", ["127.0.0.1"]);
    const server = await world.server((_, response) => response.end("ok"), expired);
    expect(
      await outcome(
        world.egress({ allow: [`old.test:${server.port}`], authorities: [expired.cert] })({ url: `https://old.test:${server.port}/` }),
      ),
    ).toBe("FetchFailed");
  });
  test("the environment cannot switch verification off", async () => {
    const before = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      world.name("secure.test", ["127.0.0.1"]);
      const server = await world.server((_, response) => response.end("ok"), trusted);
      expect(await outcome(world.egress({ allow: [`secure.test:${server.port}`] })({ url: `https://secure.test:${server.port}/` }))).toBe(
        "FetchFailed",
      );
    } finally {
      if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
      else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
    }
  });
  test("plain HTTP on a TLS port and the other way round", async () => {
    const plain = await world.server((_, response) => response.end("ok"));
    const secure = await world.server((_, response) => response.end("ok"), trusted);
    const fetch = world.egress({ allow: [`127.0.0.1:${plain.port}`, `127.0.0.1:${secure.port}`] });
    expect(await outcome(fetch({ url: `https://127.0.0.1:${plain.port}/` }))).toBe("FetchFailed");
    expect(await outcome(fetch({ url: `http://127.0.0.1:${secure.port}/` }))).toBe("FetchFailed");
  });
});

describe("N18 names", () => {
  test("nothing is resolved for a request that is refused anyway", async () => {
    const fetch = world.egress();
    const label = "a".repeat(63);
    for (const url of [`http://${label}.evil.test:22/`, `ftp://${label}.evil.test/`, `http://x@${label}.evil.test/`])
      expect(await outcome(fetch({ url }))).toBe("FetchRefused");
    expect(await outcome(fetch({ url: `http://${label}.evil.test/`, headers: [["host", "x"]] }))).toBe("FetchRefused");
    expect(world.asked).toEqual([]);
    expect(await outcome(fetch({ url: "http://unknown.test/" }))).toBe("FetchFailed");
    expect(await outcome(fetch({ url: "http://a..test/" }))).not.toBe("ok");
  });
});

describe("N19 one way out", () => {
  test("no other file of the server makes requests or opens connections", () => {
    const guilty = serverFiles()
      .filter((path) => !path.startsWith("sandbox/egress"))
      .filter((path) => WAYS_OUT.some((way) => way.test(codeOf(path))));
    expect(guilty.toSorted()).toEqual(Object.keys(MAY_CONNECT).toSorted());
  });

  test("a file that may connect does so in the one way that is written down", () => {
    for (const [path, { only }] of Object.entries(MAY_CONNECT)) {
      let rest = codeOf(path);
      for (const part of only) {
        expect([path, rest.includes(part)]).toEqual([path, true]);
        rest = rest.replaceAll(part, "");
      }
      expect([path, WAYS_OUT.filter((way) => way.test(rest))]).toEqual([path, []]);
    }
  });

  test("every package that is imported is one of which it is known what it connects to", () => {
    const imported = new Map<string, string[]>();
    for (const path of serverFiles().filter((each) => !each.startsWith("sandbox/egress/"))) {
      for (const [, name = ""] of codeOf(path).matchAll(/(?:^(?:import|export) [^;"]*from |^import |\bimport\()"([^."][^"]*)"/gm)) {
        if (name.startsWith("@plinth/") || (name.startsWith("node:") && !NETWORK_MODULES.has(name))) continue;
        imported.set(name, [...(imported.get(name) ?? []), path]);
      }
    }
    for (const [name, paths] of imported) {
      const known = Object.entries(PACKAGES).find(([each]) => name === each || name.startsWith(`${each}/`));
      expect([name, known === undefined ? paths : "known"]).toEqual([name, "known"]);
      // What could connect stays where it is looked after.
      if (known?.[1] !== "connects to nothing") expect([name, paths]).toEqual([name, known?.[1]]);
    }
    const found = Object.keys(PACKAGES).filter((each) => [...imported.keys()].some((name) => name === each || name.startsWith(`${each}/`)));
    expect(found).toEqual(Object.keys(PACKAGES));
  });

  test("each request of the server is made at one of these places, for the tenant that it is for", () => {
    const users = serverFiles().filter((path) => /\begress\.fetch\(/i.test(codeOf(path)));
    // Functions, operations (http, models, embeddings) and checks of keyrings by functions: as a part of an invocation. OAuth and
    // checks by templates: for the keyring. Outgoing webhooks: for the tenant whose snap-in made one.
    expect(users.toSorted()).toEqual(["engine/host-calls/fetch.ts", "keyrings/outside-calls.ts", "outgoing/outgoing-webhooks.ts"]);
    for (const path of users)
      expect(codeOf(path)).toMatch(/egress\.fetch\((?:request|sent), \{\s*(?:\.\.\.\{ )?tenant: (?:scope|subject)\.tenant,/);
    const makers = serverFiles().filter((path) => /\bcreateEgress\(/.test(codeOf(path)));
    expect(makers.filter((path) => !path.startsWith("sandbox/egress"))).toEqual(["host.ts"]);
  });

  test("programs are started by the sandbox alone", () => {
    const starts = serverFiles().filter((path) => /from "node:child_process"/.test(codeOf(path)));
    expect(starts.filter((path) => !path.startsWith("sandbox/"))).toEqual([]);
  });

  test("proxies of the environment are not honoured", async () => {
    const proxy = await world.server((_, response) => response.end("proxy"));
    const server = await world.server((_, response) => response.end("direct"));
    const names = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "NODE_USE_ENV_PROXY"];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = name === "NODE_USE_ENV_PROXY" ? "1" : `http://127.0.0.1:${proxy.port}`;
    try {
      const fetch = world.egress({ allow: [`127.0.0.1:${server.port}`] });
      expect(text(await fetch({ url: `http://127.0.0.1:${server.port}/` }))).toBe("direct");
      expect(proxy.requests).toEqual([]);
    } finally {
      names.forEach((name, index) => {
        const value = before[index];
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      });
    }
  });
});

describe("response bodies", () => {
  const PACKERS = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync } as const;
  test.each(Object.keys(PACKERS) as (keyof typeof PACKERS)[])("%s is unpacked, and a bomb is stopped", async (encoding) => {
    const bomb = PACKERS[encoding](Buffer.alloc(64 * 1024 * 1024));
    const server = await world.server((request, response) => {
      response.setHeader("content-encoding", encoding);
      response.end(request.url === "/bomb" ? bomb : PACKERS[encoding](Buffer.from("hello".repeat(1000))));
    });
    const url = `http://127.0.0.1:${server.port}`;
    const fetch = world.egress({ allow: [`127.0.0.1:${server.port}`] });
    const response = await fetch({ url });
    expect(text(response)).toBe("hello".repeat(1000));
    expect(response.headers.map(([name]) => name)).not.toContain("content-encoding");
    expect(await outcome(fetch({ url: `${url}/bomb` }))).toBe("LimitExceeded");
  });

  test("raw deflate, two layers, unknown and broken encodings", async () => {
    const bodies: Record<string, readonly [string, Buffer]> = {
      "/raw": ["deflate", deflateRawSync("hello")],
      "/two": ["gzip, br", brotliCompressSync(gzipSync("hello"))],
      "/unknown": ["rot13", Buffer.from("uryyb")],
      "/broken": ["gzip", Buffer.from("not gzip")],
      "/cut": ["gzip", gzipSync("hello".repeat(99)).subarray(0, 20)],
      "/empty": ["gzip", Buffer.alloc(0)],
    };
    const server = await world.server((request, response) => {
      const [encoding, body] = bodies[request.url ?? ""] ?? ["identity", Buffer.from("?")];
      response.writeHead(200, { "content-encoding": encoding }).end(body);
    });
    const fetch = world.egress({ allow: [`127.0.0.1:${server.port}`] });
    const get = (path: string): ReturnType<typeof fetch> => fetch({ url: `http://127.0.0.1:${server.port}${path}` });
    expect(text(await get("/raw"))).toBe("hello");
    expect(text(await get("/two"))).toBe("hello");
    const unknown = await get("/unknown");
    expect([text(unknown), unknown.headers.find(([name]) => name === "content-encoding")?.[1]]).toEqual(["uryyb", "rot13"]);
    expect(await outcome(get("/broken"))).toBe("FetchFailed");
    expect(await outcome(get("/cut"))).toBe("FetchFailed");
    expect(text(await get("/empty"))).toBe("");
  });

  test("endless and early-ended bodies", async () => {
    const endless = await world.raw((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const more = (): void => void (socket.writable && socket.write(Buffer.alloc(65_536), more));
      socket.once("data", more);
    });
    const short = await world.raw((socket) => socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")));
    const garbage = await world.raw((socket) => socket.once("data", () => socket.end("SSH-2.0-OpenSSH\r\n")));
    const fetch = world.egress({ allow: [endless, short, garbage].map(({ port }) => `127.0.0.1:${port}`) });
    expect(await outcome(fetch({ url: `http://127.0.0.1:${endless.port}/` }))).toBe("LimitExceeded");
    expect(await outcome(fetch({ url: `http://127.0.0.1:${short.port}/` }))).toBe("FetchFailed");
    expect(await outcome(fetch({ url: `http://127.0.0.1:${garbage.port}/` }))).toBe("FetchFailed");
  });

  test("request bodies are checked", async () => {
    const fetch = world.egress();
    expect(await outcome(fetch({ url: "http://example.com/", method: "POST", bodyBase64: "?" }))).toBe("InvalidArgument");
    expect(await outcome(fetch({ url: "http://example.com/", method: "GET", bodyBase64: "YQ==" }))).toBe("InvalidArgument");
    expect(await outcome(fetch({ url: "http://example.com/", method: "POST", bodyBase64: "A".repeat(14_000_000) }))).toBe("LimitExceeded");
  });

  test("after close nothing is fetched, and what was running has ended", async () => {
    const server = await world.server(() => {});
    const egress = createEgress({
      policy: { allowedPrivate: [`127.0.0.1:${server.port}`], allowedPorts: [] },
      runtime: NO_TIME,
      resolver: world.resolver,
    });
    const request = { url: `http://127.0.0.1:${server.port}/`, method: "GET", headers: [], bodyBase64: null, redirect: "follow" } as const;
    const context = { tenant: "t", invocation: "i", signal: new AbortController().signal };
    const running = outcome(egress.fetch(request, context));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await egress.close();
    expect(await running).toBe("FetchFailed");
    expect(await outcome(egress.fetch(request, context))).toBe("FetchFailed");
  });
});

const SERVER = join(import.meta.dirname, "../../packages/server/src");

/** Files of the server that run, by their path below `src`. */
function serverFiles(): readonly string[] {
  const files = readdirSync(SERVER, { recursive: true, encoding: "utf8" })
    .filter(
      (path) =>
        path.endsWith(".ts") && !/\.test\.ts$|\.d\.ts$|\/(?:test|fixtures)\/|\/test-[^/]*$|^protobuf\/_generated|-contract\.ts$/.test(path),
    )
    .filter((path) => !/from "(?:vitest|fast-check)"/.test(codeOf(path)));
  expect(files.length).toBeGreaterThan(300);
  return files;
}

/** Without comments, and without imports that only bring types. */
function codeOf(path: string): string {
  return readFileSync(join(SERVER, path), "utf8")
    .replace(/^import type [^;]*;$/gm, "")
    .replace(/^\s*(?:\/\/|\*|\/\*).*$/gm, "");
}

/** What looks like a way out and is none for tenants: why, and the only text of the file that looks so. */
const MAY_CONNECT: Readonly<Record<string, { readonly why: string; readonly only: readonly string[] }>> = {
  "sandbox/jail/probe-script.ts": {
    why: "text of a program that tries from inside the jail what must not work there",
    only: ["net.connect("],
  },
  "sandbox/container/probe.ts": {
    why: "text of a program that tries from inside the container what must not work there",
    only: ["net.connect("],
  },
  "sandbox/container/docker-api.ts": {
    why: "its one address is the container engine that the operator configured; nothing of a tenant gets there as an address",
    only: ['import { Agent, type IncomingMessage, request, type RequestOptions } from "node:http"'],
  },
  "doors/grpc/open-grpc.ts": {
    why: "listens; it connects to nobody",
    only: ['import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2"'],
  },
  "operations/native/http.ts": {
    why: "the fetch of its own invocation, which engine/run-native.ts takes through the guard",
    only: ["await fetch(request, { signal: time.signal, ...(bodies === undefined ? {} : { bodies }) })"],
  },
};

const NETWORK_MODULES: ReadonlySet<string> = new Set(
  ["net", "tls", "http", "https", "http2", "dns", "dns/promises", "dgram", "inspector", "cluster"].map((name) => `node:${name}`),
);

/** Packages that the server imports: the files that may, for those that could open connections. */
const PACKAGES: Readonly<Record<string, "connects to nothing" | readonly string[]>> = {
  "node:net": ["doors/connection-bounds.ts", "sandbox/jail/jail.ts"], // Addresses of who connects; sockets over inherited pairs.
  "node:http": ["doors/http-server.ts", "sandbox/container/docker-api.ts"], // The words of statuses; the engine of containers.
  "node:http2": ["doors/grpc/open-grpc.ts"], // Listens.
  fastify: "connects to nothing",
  "smtp-server": ["doors/smtp/open-smtp.ts"], // Listens; looks no addresses up, because `disableReverseLookup` is set.
  "@connectrpc/connect": "connects to nothing",
  "@connectrpc/connect-node": ["doors/grpc/node-handler.ts", "doors/grpc/request-message.ts"], // Its client parts are not used.
  "@modelcontextprotocol/sdk/server": "connects to nothing",
  "@modelcontextprotocol/sdk/types.js": "connects to nothing",
  "@bufbuild/protobuf": "connects to nothing",
  pino: "connects to nothing",
  "prom-client": "connects to nothing",
  "@opentelemetry/api": "connects to nothing",
  "@opentelemetry/resources": "connects to nothing",
  "@opentelemetry/sdk-metrics": "connects to nothing",
  "@opentelemetry/sdk-trace": "connects to nothing",
  // The operator's collector: its address comes from the settings of the host alone.
  "@opentelemetry/exporter-trace-otlp-http": ["telemetry/otlp/open-otlp.ts"],
  "@opentelemetry/exporter-metrics-otlp-http": ["telemetry/otlp/open-otlp.ts"],
  // Their `fetch` is the guard's (`ai/guarded-fetch.ts`).
  openai: ["ai/openai-client.ts"],
  "@anthropic-ai/sdk": ["ai/anthropic-client.ts"],
};

/** What opens connections in Node, and what names them. */
const WAYS_OUT = [
  /(?<![.\w#])fetch\(/,
  /\bhttps?\.(?:request|get)\(/,
  /from "undici"/,
  /from "node:(?:tls|https|dgram|http2|dns)"/,
  /\bnet\.(?:connect|createConnection)\(/,
  /import \{[^}]*\b(?:connect|createConnection)\b[^}]*\} from "node:net"/,
  /import \{[^}]*\brequest\b[^}]*\} from "node:http"/,
  /\bnew WebSocket\(/,
  /\bnew EventSource\(/,
];

const NO_TIME = {
  nowMs: () => 0,
  monotonicMs: () => 0,
  randomBytes: (length: number) => new Uint8Array(length),
  random: () => 0,
  timer: () => ({ cancel: () => {} }),
  sleep: () => Promise.resolve(),
};
