/** The guest's script for the engine at hand: the globals that it must remove are read from the engine. */
import type { Addon } from "./addon.ts";
import { GuestCode } from "./compiled-code.ts";
import { ENGINE_GLOBALS } from "./guest/globals.ts";
import { GUEST_FILE } from "./wire.ts";

export function makeGuestCode(addon: Addon, guestSource: string): GuestCode {
  const removed = globalsOf(addon).filter((name) => !ENGINE_GLOBALS.includes(name));
  return new GuestCode(
    guestSource.replace("PLINTH_REMOVED_GLOBALS", () => JSON.stringify(removed)),
    GUEST_FILE,
  );
}

/** The globals of a context before anything ran in it. */
function globalsOf(addon: Addon): string[] {
  const isolate = new addon.Isolate({ memoryLimit: 8 });
  try {
    const names = isolate.createContextSync().evalSync("Reflect.ownKeys(globalThis).filter((key) => typeof key === 'string').join(' ')");
    return typeof names === "string" ? names.split(" ") : [];
  } finally {
    isolate.dispose();
  }
}
