import { performSubtle, random } from "./local-ops/crypto.ts";
import { toAscii } from "./local-ops/idna.ts";

/**
 * Operations that the runner's own Node process performs for its guests, inside the jail: what needs
 * native code but neither the host nor a secret, such as WebCrypto. Arguments are hostile: they come from
 * user code and are parsed by the operation. An error's message is shown to user code.
 */
export interface LocalOps {
  /** While the guest waits; at most some microseconds of work. */
  readonly sync: Readonly<Record<string, (argText: string) => string>>;
  readonly async: Readonly<Record<string, (argText: string) => Promise<string>>>;
}

export const localOps: LocalOps = {
  sync: { "crypto/random": random, "idna/toAscii": toAscii },
  async: { "crypto/subtle": performSubtle },
};
