/** What is written about the routes of limits and usage. */
import { limit } from "@plinth/core/limits.ts";
import type { CallLimits, FunctionLimits, Spending, TenantLimits } from "../../budgets/budgets.ts";
import { json, jsonBody, type RouteDoc } from "../openapi/route-doc.ts";
import { choice, closed, list, named, number, open, orNull, text, whole, type Properties, type Schema } from "../openapi/schema.ts";

const RATE = closed({ perSecond: number(), burst: number("How many at once.") });
const RATE_WANTED = open({ perSecond: number(), "burst?": orNull(number()) });
const CONCURRENCY = number("How many run at the same time; more of them wait.");
const PERIOD = choice(["day", "month"]);
const WHEN_SPENT = choice(["degrade", "refuse"], "What happens when the whole amount is spent.");
const WARN_AT = number("Share of the amount.", { minimum: 0.01, maximum: 1 });

const BUDGET = named("Budget", closed({ period: PERIOD, amount: number(), warnAt: WARN_AT, throttleAt: WARN_AT, whenSpent: WHEN_SPENT }));
const BUDGET_WANTED = open({
  "period?": orNull(PERIOD),
  amount: number(undefined, { minimum: 0 }),
  "warnAt?": orNull(WARN_AT),
  "throttleAt?": orNull(WARN_AT),
  "whenSpent?": orNull(WHEN_SPENT),
});

const CALLS = {
  cpuMs: orNull(number()),
  wallMs: orNull(number()),
  memoryBytes: orNull(number()),
  resultBytes: orNull(number()),
} satisfies Record<keyof CallLimits, Schema>;
const CALLS_WANTED: Properties = Object.fromEntries(Object.entries(CALLS).map(([name, schema]) => [`${name}?`, schema]));
const FUNCTION = text("Path of a function, or its beginning with `*` behind it.");

const LIMITS = named(
  "TenantLimits",
  closed(
    {
      rate: orNull(RATE),
      concurrency: orNull(CONCURRENCY),
      calls: closed(CALLS, "Of every call; what is null has the host's limit."),
      budget: orNull(BUDGET),
      functions: list(
        closed({ function: FUNCTION, rate: orNull(RATE), concurrency: orNull(CONCURRENCY), ...CALLS } satisfies Record<
          keyof FunctionLimits,
          Schema
        >),
        "The first whose name fits is the one.",
      ),
    } satisfies Record<keyof TenantLimits, Schema>,
    "What the tenant's calls may take.",
  ),
);

export const LIMIT_DOCS = {
  getLimits: { summary: "Read the limits of the tenant", tag: "Limits", answers: { 200: json(LIMITS) } },
  setLimits: {
    summary: "Change the limits of the tenant",
    description: "What is absent stays as it is. Everything but `functions` takes the admin key of the host.",
    tag: "Limits",
    body: jsonBody(
      open({
        "functions?": list(
          open({ function: FUNCTION, "rate?": orNull(RATE_WANTED), "concurrency?": orNull(CONCURRENCY), ...CALLS_WANTED }),
          undefined,
          { maxItems: limit("functionLimitsPerTenantMax") },
        ),
        "rate?": orNull(RATE_WANTED),
        "concurrency?": orNull(CONCURRENCY),
        "calls?": open(CALLS_WANTED),
        "budget?": orNull(BUDGET_WANTED),
      }),
    ),
    answers: { 200: json(LIMITS) },
  },
  getUsage: {
    summary: "What the tenant used and what it cost",
    tag: "Limits",
    answers: {
      200: json(
        closed({
          stage: choice(["ok", "warn", "throttle", "degrade", "refuse"]),
          spent: number("In the period of the budget."),
          budget: orNull(BUDGET),
          days: list(
            closed({
              day: text("UTC, `2026-01-31`."),
              cost: number(),
              calls: whole(),
              executionMs: number(),
              cpuMs: number(),
              gibSeconds: number(),
              egressBytes: number(),
            } satisfies Record<Exclude<keyof Spending, "costNanos"> | "cost", Schema>),
            "Of the current month.",
          ),
        }),
      ),
    },
  },
} as const satisfies Record<string, RouteDoc>;
