/**
 * Where a request goes. `parseTarget` reads the URL once, as WHATWG says, and everything after it uses
 * the parsed parts only, so that no second reading can come to another result.
 */
import { limit } from "@plinth/core/limits.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { isIP } from "node:net";
import type { EgressPolicy } from "../egress.ts";
import { refused } from "./fetch-errors.ts";

export interface Target {
  readonly url: URL;
  readonly secure: boolean;
  /** Lower case, ASCII, without brackets and trailing dot. */
  readonly hostname: string;
  readonly port: number;
  /** The hostname is itself an address. */
  readonly isAddress: boolean;
  /** The operator named this host and port, so it may have an address that is not public. */
  readonly privateAllowed: boolean;
}

const WEB_PORTS: readonly number[] = [80, 443];

/** Reads `text` (relative to `base` for redirects); throws FetchRefused or InvalidArgument. */
export function parseTarget(text: string, policy: EgressPolicy, base?: URL): Target {
  const max = limit("fetchUrlBytesMax");
  if (text.length > max) throw plinthError("LimitExceeded", { what: "Length of the URL of a fetch", actual: text.length, max });
  const url = URL.parse(text, base);
  if (url === null) throw plinthError("InvalidArgument", { detail: "The URL of a fetch is not valid." });
  if (url.protocol !== "http:" && url.protocol !== "https:") throw refused(url, "only http and https are possible");
  if (url.username !== "" || url.password !== "")
    throw refused(url, "a URL with user name or password is not possible; use the Authorization header");
  const secure = url.protocol === "https:";
  // `example.com.` is `example.com`, here and for everybody who is given this URL.
  if (url.hostname.endsWith(".")) url.hostname = url.hostname.slice(0, -1);
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  const privateAllowed = policy.allowedPrivate.includes(`${isIP(hostname) === 6 ? `[${hostname}]` : hostname}:${port}`);
  if (hostname === "" || hostname.endsWith(".")) throw refused(url, "the host name is not valid");
  if (!privateAllowed && !WEB_PORTS.includes(port) && !policy.allowedPorts.includes(port))
    throw refused(url, `port ${port} is not allowed`);
  return { url, secure, hostname, port, isAddress: isIP(hostname) !== 0, privateAllowed };
}
