/** Gives classes the names that programs see, which a bundler does not keep. */
export function platformClasses(classes: Readonly<Record<string, { readonly prototype: object }>>): void {
  for (const [name, made] of Object.entries(classes)) {
    Object.defineProperty(made, "name", { value: name, configurable: true });
    Object.defineProperty(made.prototype, Symbol.toStringTag, { value: name, configurable: true });
  }
}
