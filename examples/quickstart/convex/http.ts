import { httpRouter } from "convex/server";
import { api } from "./_generated/api.js";
import { httpAction } from "./_generated/server.js";

const http = httpRouter();

/** `GET /accounts` lists the active accounts as JSON. */
http.route({
  path: "/accounts",
  method: "GET",
  handler: httpAction(async (ctx) => Response.json(await ctx.runQuery(api.accounts.list, {}))),
});

/** `POST /payments` with `{"invoiceId": …}` is what a payment provider would call. */
http.route({
  path: "/payments",
  method: "POST",
  handler: httpAction(async (ctx, request) => {
    const { invoiceId } = await request.json();
    await ctx.runMutation(api.invoices.pay, { invoiceId });
    return new Response(null, { status: 204 });
  }),
});

export default http;
