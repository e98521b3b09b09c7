/** Loads isolated-vm from its one native file: nothing else of the package exists inside the jail. */
import type IsolatedVM from "isolated-vm";

export type Addon = typeof IsolatedVM;

export function loadAddon(file: string): Addon {
  const holder: { exports: { ivm?: Addon } } = { exports: {} };
  process.dlopen(holder, file);
  if (holder.exports.ivm === undefined) throw new Error(`${file} is not isolated-vm`);
  return holder.exports.ivm;
}
