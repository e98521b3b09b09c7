/** What clients of MCP learn before they have a key: that one is needed, and how it is sent (RFC 9728). */
import type { PlinthError } from "@plinth/core/errors.ts";

const WELL_KNOWN = "/.well-known/oauth-protected-resource";

/** Path parts of resources: `mcp`, and `t/<tenant>/mcp`. */
const RESOURCE = /^(?:t\/[a-z0-9][a-z0-9-]{0,62}\/)?mcp$/;

export function isResource(path: string): boolean {
  return RESOURCE.test(path);
}

/** There is no authorization server: keys are made with `plinth keys create` and sent as they are. */
export function resourceMetadata(apiUrl: string, path: string) {
  return {
    resource: `${apiUrl}/${path}`,
    resource_name: "Plinth",
    bearer_methods_supported: ["header"],
    scopes_supported: ["invoke", "deploy"],
  };
}

/** `WWW-Authenticate` of an answer that refuses. */
export function challenge(apiUrl: string, prefix: string, error: PlinthError, hadKey: boolean): string {
  const metadata = `resource_metadata="${apiUrl}${WELL_KNOWN}${prefix}/mcp"`;
  if (error.spec.status === 403) return `Bearer error="insufficient_scope", ${metadata}`;
  return hadKey ? `Bearer error="invalid_token", ${metadata}` : `Bearer ${metadata}`;
}
