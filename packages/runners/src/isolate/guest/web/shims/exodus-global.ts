/**
 * What @exodus/bytes sees as the global object: the engine's functions that make it fast, and none of the
 * classes that it makes itself.
 */
export const exodusGlobal = {
  decodeURIComponent,
  escape,
  get TransformStream(): unknown {
    return Reflect.get(globalThis, "TransformStream");
  },
};
