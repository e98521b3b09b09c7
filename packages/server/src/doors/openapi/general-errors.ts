import type { ErrorCode } from "@plinth/core/errors.ts";

/** What every route may refuse a request with, whatever it does. */
export const GENERAL_ERRORS = [
  "MalformedJson",
  "BadRequest",
  "RequestTooLarge",
  "TooDeep",
  "TooManyValues",
  "InvalidValue",
  "Unauthenticated",
  "Forbidden",
  "BranchAccessDenied",
  "NotFound",
  "MethodNotAllowed",
  "TooManyConcurrentRequests",
  "OptimisticConcurrencyControlFailure",
  "ShuttingDown",
  "StoreFailure",
  "InternalError",
] as const satisfies readonly ErrorCode[];

/** What routes that run code may refuse a call with before it runs, or when the host cannot. */
export const RUN_ERRORS = [
  "ArgumentValidation",
  "IdempotencyConflict",
  "RateLimited",
  "TooManyEventsWaiting",
  "BudgetExceeded",
  "ExpiredInQueue",
  "DeadlineExceeded",
  "Cancelled",
  "RunnerLost",
  "NotAvailable",
] as const satisfies readonly ErrorCode[];
