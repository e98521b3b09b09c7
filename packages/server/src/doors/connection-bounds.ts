/**
 * Bounds the connections of the HTTP and gRPC ports: those of one address over all ports, and those of each port.
 *
 * C1 A connection beyond a bound is closed before anything of it is read; who has one keeps it.
 * C2 Addresses of version 6 count by their network of 64 bits, which one client has whole.
 * C3 Trusted proxies stand for many clients: their connections count towards the bound of the port alone.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { BlockList, isIP, type Server, type Socket } from "node:net";

/** `address`: too many of one address; `port`: too many in all. */
export type ConnectionRefusal = "address" | "port";

export interface ConnectionBoundsOptions {
  readonly perAddressMax?: number;
  readonly perPortMax?: number;
  /** Addresses and networks, as `10.0.0.0/8`. */
  readonly trustedProxies?: readonly string[];
  readonly onRefused?: (why: ConnectionRefusal) => void;
}

export class ConnectionBounds {
  readonly #perAddressMax: number;
  readonly #perPortMax: number;
  readonly #trusted = new BlockList();
  readonly #onRefused: (why: ConnectionRefusal) => void;
  readonly #byAddress = new Map<string, number>();

  constructor(options: ConnectionBoundsOptions = {}) {
    this.#perAddressMax = options.perAddressMax ?? limit("connectionsPerAddressMax");
    this.#perPortMax = options.perPortMax ?? limit("connectionsMax");
    this.#onRefused = options.onRefused ?? (() => undefined);
    for (const each of options.trustedProxies ?? []) this.#trust(each);
  }

  /** `refuse` closes a connection of an address that has too many. */
  watch(server: Server, refuse: (socket: Socket) => void): void {
    server.maxConnections = this.#perPortMax;
    server.on("drop", () => this.#onRefused("port"));
    server.on("connection", (socket) => this.#connected(socket, refuse));
  }

  #connected(socket: Socket, refuse: (socket: Socket) => void): void {
    const { remoteAddress } = socket;
    // Of a client that is gone already there is no address, and nothing to bound.
    if (remoteAddress === undefined || this.#isTrusted(remoteAddress)) return;
    const name = networkOf(remoteAddress);
    const open = this.#byAddress.get(name) ?? 0;
    if (open >= this.#perAddressMax) {
      this.#onRefused("address");
      refuse(socket);
      return;
    }
    this.#byAddress.set(name, open + 1);
    socket.once("close", () => {
      const left = (this.#byAddress.get(name) ?? 1) - 1;
      if (left === 0) this.#byAddress.delete(name);
      else this.#byAddress.set(name, left);
    });
  }

  #trust(text: string): void {
    const [address = "", bits] = text.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    const most = family === "ipv6" ? 128 : 32;
    if (isIP(address) === 0 || Number(bits ?? most) > most)
      throw plinthError("BadConfiguration", { detail: `${text} is no address and no network of a proxy` });
    this.#trusted.addSubnet(address, Number(bits ?? most), family);
  }

  #isTrusted(address: string): boolean {
    const plain = plainAddress(address);
    return this.#trusted.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4");
  }
}

/** C2 */
export function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6) return plain;
  const [before = "", after] = plain.split("::");
  const head = before === "" ? [] : before.split(":");
  const tail = after === undefined || after === "" ? [] : after.split(":");
  const groups = after === undefined ? head : [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => "0"), ...tail];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}

/** Without the zone of a link, and addresses of version 4 as such. */
function plainAddress(address: string): string {
  const [plain = address] = address.split("%");
  return plain.toLowerCase().startsWith("::ffff:") && isIP(plain.slice(7)) === 4 ? plain.slice(7) : plain;
}
