/** Stands for SharedArrayBuffer, which guests do not have, in packages that tell its objects from others. */
export class NoSharedArrayBuffer {
  get byteLength(): number {
    throw new TypeError("not a SharedArrayBuffer");
  }

  get growable(): boolean {
    throw new TypeError("not a SharedArrayBuffer");
  }
}
