/**
 * Makes a `net.Socket` without a system socket: what the client writes goes to an HttpPeer in this process, and what that answers is
 * what the client reads. The class stays `net.Socket`, so Agents, undici and timeouts work as always.
 */
import { Socket } from "node:net";
import type { HostCaller } from "../host-calls.ts";
import { type ConnectionTarget, HttpPeer } from "./http-peer.ts";
import { placeholderAddress } from "./names.ts";

type WriteDone = (error?: Error | null) => void;

/** Taken now: user code may replace the method. */
const { _destroy: destroySocket } = Socket.prototype as unknown as {
  readonly _destroy: (this: Socket, error: Error | null, done: WriteDone) => void;
};

type WritevChunks = readonly { readonly chunk: Buffer | string; readonly encoding: BufferEncoding }[];

/** The parts of a socket's inside that a virtual one replaces. */
interface SocketInside {
  connecting: boolean;
  secureConnecting?: boolean;
  _unrefTimer(): void;
  _onTimeout(): void;
}

/** Connects the socket to a target, at the next tick as a real one does at the earliest. */
export function connectVirtually(socket: Socket, target: ConnectionTarget, hostCall: HostCaller): void {
  const inside = socket as unknown as SocketInside;
  const soon = (act: () => unknown): void =>
    process.nextTick(() => {
      if (!socket.destroyed) act();
    });
  const peer = new HttpPeer({
    target,
    hostCall,
    // A real peer never answers inside the write of a client, and clients count on that.
    client: {
      write: (bytes) =>
        soon(() => {
          inside._unrefTimer();
          socket.push(bytes);
        }),
      end: () => soon(() => socket.push(null)),
      fail: (error) => soon(() => socket.destroy(error)),
    },
  });
  Object.defineProperties(socket, descriptorsOf(methodsOf(socket, inside, peer)));
  Object.defineProperties(socket, descriptorsOf(namesOf(target)));
  for (const name of ["readyState", "pending"]) Object.defineProperty(socket, name, getterOf(name, inside));
  inside.connecting = true;
  process.nextTick(() => connected(socket, inside, target.secure));
}

function connected(socket: Socket, inside: SocketInside, secure: boolean): void {
  if (socket.destroyed) return;
  inside.connecting = false;
  socket.emit("connect");
  socket.emit("ready");
  if (secure) {
    inside.secureConnecting = false;
    socket.emit("secureConnect");
  }
  if (!socket.isPaused()) socket.read(0);
}

function methodsOf(socket: Socket, inside: SocketInside, peer: HttpPeer): Readonly<Record<string, unknown>> {
  const whenConnected = (done: WriteDone, act: () => void): void => {
    if (!inside.connecting) return act();
    const onClose = (): void => done(new Error("Socket closed before the connection was established"));
    socket.once("close", onClose);
    socket.once("connect", () => {
      socket.off("close", onClose);
      act();
    });
  };
  return {
    // The peer pushes when it has something.
    _read: () => undefined,
    _write: (chunk: Buffer | string, encoding: BufferEncoding, done: WriteDone) =>
      whenConnected(done, () => {
        inside._unrefTimer();
        peer.receive(typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk);
        done();
      }),
    _writev: (chunks: WritevChunks, done: WriteDone) =>
      whenConnected(done, () => {
        inside._unrefTimer();
        const bytes = chunks.map(({ chunk, encoding }) => (typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk));
        peer.receive(Buffer.concat(bytes));
        done();
      }),
    _final: (done: WriteDone) =>
      whenConnected(done, () => {
        peer.ended();
        done();
      }),
    _destroy: (error: Error | null, done: WriteDone) => {
      peer.close();
      destroySocket.call(socket, error, done);
    },
    ref: () => socket,
    unref: () => socket,
    setKeepAlive: () => socket,
    setNoDelay: () => socket,
  };
}

function namesOf(target: ConnectionTarget): Readonly<Record<string, unknown>> {
  const address = placeholderAddress(target.host);
  return {
    remoteAddress: address,
    remotePort: target.port,
    remoteFamily: address.includes(":") ? "IPv6" : "IPv4",
    localAddress: "127.0.0.1",
    localPort: 0,
    address: () => ({ address: "127.0.0.1", port: 0, family: "IPv4" }),
  };
}

function getterOf(name: string, inside: SocketInside): PropertyDescriptor {
  return {
    configurable: true,
    get(this: Socket) {
      if (name === "pending") return inside.connecting;
      if (inside.connecting) return "opening";
      if (this.readable && this.writable) return "open";
      return this.readable ? "readOnly" : this.writable ? "writeOnly" : "closed";
    },
  };
}

export function descriptorsOf(values: Readonly<Record<string, unknown>>): PropertyDescriptorMap {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { value, configurable: true, writable: true, enumerable: false }]),
  );
}
