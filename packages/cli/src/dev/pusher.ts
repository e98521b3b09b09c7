/** What `plinth dev` pushes: a functions folder or a package. */
import type { Connection } from "../connection.ts";

export interface Pusher {
  /** The folder that is watched. */
  readonly root: string;
  /** Whether a change of this file, by its path below the root, is none of the author's. */
  readonly ignores: (file: string) => boolean;
  /** Pushes once; returns what to say of it. Fails with CommandFailure for what the author can mend. */
  readonly push: (connection: Connection) => Promise<readonly string[]>;
  readonly dispose: () => Promise<void>;
}
