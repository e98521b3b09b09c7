/** What clients and the Convex command line ask about a deployment. */
import { type Reply, type Route } from "../door.ts";

export const version = textRoute("/version", () => "plinth-0.1.0");
export const instanceName = textRoute("/instance_name", (context) => context.config.instanceName);
export const instanceVersion = textRoute("/instance_version", () => "plinth-0.1.0");

function textRoute(path: string, text: (context: Parameters<Route["handle"]>[0]) => string): Route {
  return {
    method: "GET",
    path,
    access: "open",
    crossOrigin: true,
    handle: (context): Promise<Reply> =>
      Promise.resolve({ kind: "text", status: 200, contentType: "text/plain; charset=utf-8", body: text(context) }),
  };
}
