import { httpActionGeneric, httpRouter } from "convex/server";

const http = httpRouter();

for (const method of ["GET", "POST"] as const) {
  http.route({
    path: "/notes",
    method,
    handler: httpActionGeneric(async (ctx, request) => {
      const notes = await ctx.runQuery("notes:list" as never, {} as never);
      return Response.json(
        { notes, url: request.url, headers: [...request.headers.keys()] },
        { headers: { "cache-control": "public, max-age=60" } },
      );
    }),
  });
}

export default http;
