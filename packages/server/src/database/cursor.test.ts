import { describe, expect, it } from "vitest";
import { CursorCodec, queryDigest } from "./cursor.ts";

const codec = new CursorCodec(new Uint8Array(32).fill(1));
const query = queryDigest("one");
const secretPart = Buffer.from("salary 123456");
const position = { kind: "after" as const, indexKey: secretPart };

describe("cursors", () => {
  it("come back as they went, and the same position has the same text", () => {
    const text = codec.encode(query, position);
    expect(codec.decode(query, text)).toEqual(position);
    expect(codec.encode(query, position)).toBe(text);
    expect(codec.decode(query, codec.encode(query, { kind: "end" }))).toEqual({ kind: "end" });
  });

  it("do not show field values", () => {
    expect(Buffer.from(codec.encode(query, position), "base64url").includes(secretPart)).toBe(false);
  });

  it.each([
    ["of another query", codec.encode(queryDigest("two"), position)],
    ["of another branch", new CursorCodec(new Uint8Array(32).fill(2)).encode(query, position)],
    ["empty", ""],
    ["not base64url", "***"],
    ["with a changed character", codec.encode(query, position).replace(/.$/, (last) => (last === "A" ? "E" : "A"))],
    ["cut", codec.encode(query, position).slice(0, 24)],
    ["with something behind", `${codec.encode(query, position)}AAAA`],
  ])("are refused when they are %s", (_, text) => {
    expect(() => codec.decode(query, text)).toThrow(
      expect.objectContaining({
        code: "InvalidArgument",
        message: expect.stringContaining("InvalidCursor"),
        dataText: '{"isConvexSystemError":true,"paginationError":"InvalidCursor"}',
      }),
    );
  });
});
