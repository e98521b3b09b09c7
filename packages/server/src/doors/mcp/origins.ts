/** Which web pages may call the MCP door. */
export function isAllowedOrigin(origin: string, { own, allowed }: { readonly own: string; readonly allowed: readonly string[] }): boolean {
  if (allowed.includes(origin)) return true;
  const from = URL.parse(origin);
  const to = new URL(own);
  if (from === null || from.origin === "null") return false;
  // On a developer's machine pages of its own servers may; those of other machines never look like them.
  return from.origin === to.origin || (isLoopback(from.hostname) && isLoopback(to.hostname));
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
