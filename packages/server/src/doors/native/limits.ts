/** `/v1/limits` and `/v1/usage`: what the tenant's calls may take, and what they used and cost. */
import type { Budget } from "@plinth/core/policy/budget.ts";
import type { RateLimit } from "@plinth/core/policy/rate.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { CallLimits, FunctionLimits, TenantLimits } from "../../budgets/budgets.ts";
import { jsonReply, type Reply } from "../door.ts";
import { arrayField, choiceField, objectField, optionalNumberField, textField, wrongField } from "../fields.ts";
import { readJsonObject, type JsonObject } from "../request-body.ts";
import type { DocumentedRoute } from "../openapi/route-doc.ts";
import { LIMIT_DOCS } from "./limits-doc.ts";

const NANOS = 1e9;
const AMOUNT_MAX = 9e6;
const HOUR_MS = 3_600_000;
/** What only the operator sets. */
const OPERATORS = ["rate", "concurrency", "calls", "budget"] as const;

export const getLimits: DocumentedRoute = {
  method: "GET",
  path: "/v1/limits",
  access: ["read", "admin"],
  branchless: true,
  doc: LIMIT_DOCS.getLimits,
  handle: async (context, { caller }): Promise<Reply> =>
    await Promise.resolve(jsonReply(shown(context.budgets.limits(caller.scope.tenant)))),
};

/** `{functions?, rate?, concurrency?, calls?, budget?}`: what is absent stays as it is. All but the functions is the operator's (B5). */
export const setLimits: DocumentedRoute = {
  method: "PUT",
  path: "/v1/limits",
  access: ["admin"],
  branchless: true,
  doc: LIMIT_DOCS.setLimits,
  handle: async (context, request): Promise<Reply> => {
    const { tenant } = request.caller.scope;
    const body = readJsonObject(request);
    const before = context.budgets.limits(tenant);
    if (OPERATORS.some((name) => body[name] !== undefined) && !request.caller.instanceAdmin)
      throw plinthError("Forbidden", { scope: "operator" });
    const limits: TenantLimits = {
      rate: body["rate"] === undefined ? before.rate : readRate(body),
      concurrency: body["concurrency"] === undefined ? before.concurrency : readConcurrency(body),
      calls: body["calls"] === undefined ? before.calls : readCallLimits(objectField(body, "calls")),
      budget: body["budget"] === undefined ? before.budget : readBudget(body),
      functions: body["functions"] === undefined ? before.functions : readFunctions(body),
    };
    await context.budgets.setLimits(tenant, limits);
    return jsonReply(shown(limits));
  },
};

export const getUsage: DocumentedRoute = {
  method: "GET",
  path: "/v1/usage",
  access: ["read", "admin"],
  branchless: true,
  doc: LIMIT_DOCS.getUsage,
  handle: async (context, { caller }): Promise<Reply> => {
    const { stage, spentNanos, days } = context.budgets.spending(caller.scope.tenant);
    const { budget } = context.budgets.limits(caller.scope.tenant);
    return await Promise.resolve(
      jsonReply({
        stage,
        spent: spentNanos / NANOS,
        budget: budget === null ? null : shownBudget(budget),
        days: days.map(({ costNanos, ...day }) => ({ ...day, cost: costNanos / NANOS })),
      }),
    );
  },
};

function shown({ rate, concurrency, calls, budget, functions }: TenantLimits) {
  return { rate, concurrency, calls, budget: budget === null ? null : shownBudget(budget), functions };
}

function shownBudget({ amountNanos, ...budget }: Budget) {
  return { ...budget, amount: amountNanos / NANOS };
}

function readRate(fields: JsonObject): RateLimit | null {
  if (fields["rate"] === null || fields["rate"] === undefined) return null;
  const rate = objectField(fields, "rate");
  const perSecond = requiredNumber(rate, "perSecond", { min: 0.001, max: 1e6 });
  const burst = optionalNumberField(rate, "burst", { min: 1, max: 1e6 });
  return { perSecond, burst: burst ?? Math.max(1, Math.ceil(perSecond)) };
}

function readBudget(fields: JsonObject): Budget | null {
  if (fields["budget"] === null) return null;
  const budget = objectField(fields, "budget");
  const warnAt = optionalNumberField(budget, "warnAt", { min: 0.01, max: 1 }) ?? 0.8;
  const throttleAt = optionalNumberField(budget, "throttleAt", { min: 0.01, max: 1 }) ?? Math.max(warnAt, 0.9);
  if (throttleAt < warnAt) throw wrongField("throttleAt", "at least `warnAt`", throttleAt);
  return {
    period: choiceField(budget, "period", ["day", "month"]) ?? "month",
    amountNanos: Math.round(requiredNumber(budget, "amount", { min: 0, max: AMOUNT_MAX }) * NANOS),
    warnAt,
    throttleAt,
    whenSpent: choiceField(budget, "whenSpent", ["degrade", "refuse"]) ?? "refuse",
  };
}

function readFunctions(fields: JsonObject): readonly FunctionLimits[] {
  const functions = arrayField(fields, "functions");
  const max = limit("functionLimitsPerTenantMax");
  if (functions.length > max) throw wrongField("functions", `a list of at most ${max}`, functions);
  return functions.map((each, index) => {
    const own = objectField({ [`functions[${index}]`]: each }, `functions[${index}]`);
    return {
      function: textField(own, "function").slice(0, limit("functionPathCharsMax")),
      rate: readRate(own),
      concurrency: readConcurrency(own),
      ...readCallLimits(own),
    };
  });
}

function readConcurrency(fields: JsonObject): number | null {
  return optionalNumberField(fields, "concurrency", { min: 1, max: 1e6 }) ?? null;
}

function readCallLimits(fields: JsonObject): CallLimits {
  const most = (name: string, max: number) => optionalNumberField(fields, name, { min: 1, max }) ?? null;
  return {
    cpuMs: most("cpuMs", HOUR_MS),
    wallMs: most("wallMs", HOUR_MS),
    memoryBytes: most("memoryBytes", 2 ** 40),
    resultBytes: most("resultBytes", 2 ** 40),
  };
}

function requiredNumber(fields: JsonObject, name: string, bounds: { readonly min: number; readonly max: number }): number {
  const value = optionalNumberField(fields, name, bounds);
  if (value === undefined) throw wrongField(name, `a number from ${bounds.min} to ${bounds.max}`, undefined);
  return value;
}
