import { describe, expect, it } from "vitest";
import { parseHttpActionResponse } from "./parse-response.ts";
import { requestHeaders } from "./request-headers.ts";
import { responseHeaders } from "./response-headers.ts";

const site = { origin: "site", ownOrigin: true } as const;
const shared = { origin: "site", ownOrigin: false } as const;
const api = { origin: "api", ownOrigin: false } as const;

describe("headers that an HTTP action sees", () => {
  const names = (raw: string[], ownOrigin = true) =>
    requestHeaders(raw, { ownOrigin, isAdminKey: (credential) => credential === "an operator's choice" }).map(([name]) => name);

  it("R1: headers of one hop stay at that hop", () => {
    expect(names(["Connection", "x", "X-A", "1", "Transfer-Encoding", "chunked", "Proxy-Authorization", "secret", "X-A", "2"])).toEqual([
      "x-a",
      "x-a",
    ]);
  });

  it("R2: keys of Plinth never reach user code", () => {
    expect(names(["Authorization", "Bearer plk_0123456789abcdef_secret"])).toEqual([]);
    expect(names(["Authorization", "Bearer pla_secret"])).toEqual([]);
    expect(names(["Authorization", "Convex whatever"])).toEqual([]);
    expect(names(["Authorization", "Bearer  an operator's choice "])).toEqual([]);
    expect(names(["Authorization", "Bearer eyJhbGciOiJub25lIn0.e30."])).toEqual(["authorization"]);
  });

  it("R3: tenants under a common origin see no cookies", () => {
    expect(names(["Cookie", "a=b"], false)).toEqual([]);
    expect(names(["Cookie", "a=b"], true)).toEqual(["cookie"]);
  });
});

describe("headers of an HTTP action's response", () => {
  it("P1: framing belongs to the host", () => {
    expect(
      responseHeaders(
        [
          ["Content-Length", "5"],
          ["Transfer-Encoding", "chunked"],
          ["Connection", "x"],
          ["Upgrade", "h2c"],
          ["X-A", "1"],
        ],
        site,
      ),
    ).toEqual([["x-a", "1"]]);
  });

  it("P2: pages on the API's origin are sandboxed and set nothing for it", () => {
    const headers = responseHeaders(
      [
        ["Set-Cookie", "a=b"],
        ["Content-Security-Policy", "default-src *"],
        ["Strict-Transport-Security", "max-age=1"],
        ["Clear-Site-Data", '"*"'],
      ],
      api,
    );
    expect(headers).toEqual([
      ["content-security-policy", "sandbox"],
      ["x-content-type-options", "nosniff"],
    ]);
  });

  it("P2: only the owner of an origin sets cookies, and for itself alone", () => {
    expect(responseHeaders([["Set-Cookie", "a=b; Domain=.example.com; Path=/"]], site)).toEqual([["set-cookie", "a=b; Path=/"]]);
    expect(responseHeaders([["Set-Cookie", "a=b"]], shared)).toEqual([["content-security-policy", expect.stringMatching(/^sandbox /)]]);
  });

  it("P2: pages of tenants that share an origin do not run as that origin, whatever policy they send", () => {
    const headers = responseHeaders([["Content-Security-Policy", "sandbox allow-same-origin allow-scripts"]], shared);
    expect(headers[0]).toEqual(["content-security-policy", expect.stringMatching(/^sandbox /)]);
    expect(headers[0]?.[1]).not.toContain("allow-same-origin");
    // Sent as a list, both hold.
    expect(headers[1]).toEqual(["content-security-policy", "sandbox allow-same-origin allow-scripts"]);
  });

  it("P3: nothing in a header can end it", () => {
    expect(
      responseHeaders(
        [
          ["X-A", "1\r\nSet-Cookie: a=b"],
          ["X\r\n", "1"],
          ["", "1"],
          ["X-B", "ü"],
        ],
        site,
      ),
    ).toEqual([["x-b", "ü"]]);
  });

  it("bounds count and size", () => {
    const many = Array.from({ length: 1000 }, (_, i): [string, string] => [`x-${i}`, "1"]);
    expect(responseHeaders(many, site)).toHaveLength(100);
    expect(
      responseHeaders(
        [
          ["x-big", "a".repeat(10_000_000)],
          ["x-b", "1"],
        ],
        site,
      ),
    ).toEqual([]);
  });
});

describe("the response that a runner made", () => {
  it.each([100, 199, 600, 999, 200.5, "200", null])("refuses the status %s", (status) => {
    expect(() => parseHttpActionResponse(JSON.stringify({ routed: true, status, headers: [], bodyBase64: "" }))).toThrow("cannot be sent");
  });

  it("drops headers that are no pairs of texts", () => {
    const text = JSON.stringify({ routed: true, status: 200, headers: [["a", "b"], ["a"], 7, ["a", 1]], bodyBase64: "" });
    expect(parseHttpActionResponse(text).headers).toEqual([["a", "b"]]);
  });
});
