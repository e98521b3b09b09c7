/** Reads the many forms of arguments of `net.connect`, `socket.connect` and `tls.connect`. */

export interface ConnectOptions {
  readonly host?: unknown;
  readonly hostname?: unknown;
  readonly port?: unknown;
  readonly path?: unknown;
  readonly servername?: unknown;
  readonly socket?: unknown;
  readonly timeout?: unknown;
  readonly ALPNProtocols?: unknown;
  readonly cert?: unknown;
  readonly pfx?: unknown;
  readonly [name: string]: unknown;
}

export interface ConnectArguments {
  readonly options: ConnectOptions;
  readonly callback: (() => void) | undefined;
}

/** (options), (port[, host][, options]), (path[, options]), an array of an earlier reading; each may end with a callback. */
export function readConnectArguments(args: readonly unknown[]): ConnectArguments {
  const [first] = args;
  if (Array.isArray(first)) return readConnectArguments(first as readonly unknown[]);
  const last = args.findLast((each) => typeof each === "function");
  const objects = args.filter((each): each is ConnectOptions => typeof each === "object" && each !== null);
  const options: Record<string, unknown> = Object.assign({}, ...objects) as Record<string, unknown>;
  if (isPort(first)) {
    options["port"] = first;
    if (typeof args[1] === "string") options["host"] = args[1];
  } else if (typeof first === "string") options["path"] = first;
  return { options, callback: last as ConnectArguments["callback"] };
}

/** A number, or the text of one; other texts are paths. */
function isPort(value: unknown): boolean {
  return typeof value === "number" || (typeof value === "string" && /^\d+$/.test(value));
}
