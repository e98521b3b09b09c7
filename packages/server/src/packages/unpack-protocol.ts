/** What the host and an unpacking thread say to each other. The host sends the next piece when the thread wants one. */
export interface UnpackSettings {
  /** An empty folder of ours; files come below it. */
  readonly folder: string;
}

export type UnpackRequest = { readonly kind: "piece"; readonly bytes: Uint8Array } | { readonly kind: "end" };

export type UnpackReply =
  | { readonly kind: "wanted" }
  /** `fileList` is what `file-list.ts` reads. */
  | { readonly kind: "done"; readonly files: number; readonly bytes: number; readonly fileList: Uint8Array }
  /** The archive is at fault; for its author. */
  | { readonly kind: "refused"; readonly detail: string }
  /** The machine is at fault; for the host's log. */
  | { readonly kind: "failed"; readonly detail: string };
