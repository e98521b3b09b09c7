/**
 * Errors of this door. Each registered error has its gRPC code in the registry; `google.rpc.ErrorInfo` carries the code that all
 * doors use and what to do next, so that it means the same here as over HTTP.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import type { PlinthError } from "@plinth/core/errors.ts";
import { ErrorInfoSchema } from "../../protobuf/_generated/google/rpc/error_details_pb.js";
import type { DoorContext } from "../door.ts";
import { registeredError } from "../error-reply.ts";

const CODES: Readonly<Record<string, Code>> = {
  CANCELLED: Code.Canceled,
  UNKNOWN: Code.Unknown,
  INVALID_ARGUMENT: Code.InvalidArgument,
  DEADLINE_EXCEEDED: Code.DeadlineExceeded,
  NOT_FOUND: Code.NotFound,
  ALREADY_EXISTS: Code.AlreadyExists,
  PERMISSION_DENIED: Code.PermissionDenied,
  RESOURCE_EXHAUSTED: Code.ResourceExhausted,
  FAILED_PRECONDITION: Code.FailedPrecondition,
  ABORTED: Code.Aborted,
  OUT_OF_RANGE: Code.OutOfRange,
  UNIMPLEMENTED: Code.Unimplemented,
  INTERNAL: Code.Internal,
  UNAVAILABLE: Code.Unavailable,
  DATA_LOSS: Code.DataLoss,
  UNAUTHENTICATED: Code.Unauthenticated,
};

/** The gRPC code of a name in the registry of errors. */
export function grpcCode(name: string): Code {
  return CODES[name] ?? Code.Internal;
}

export function grpcError(error: PlinthError): ConnectError {
  const { spec } = error;
  const value = {
    reason: error.code,
    domain: "plinth",
    metadata: { next: error.next, fault: spec.fault, retry: spec.retry, exitCode: String(spec.exitCode), httpStatus: String(spec.status) },
  };
  return new ConnectError(error.message, grpcCode(spec.grpc), undefined, [{ desc: ErrorInfoSchema, value }]);
}

/**
 * Whatever was thrown, as the caller may see it. After the end of the call (its deadline, its client) that end is the reason,
 * whatever it made fail.
 */
export function thrownAsGrpc(context: Pick<DoorContext, "log" | "runtime">, thrown: unknown, signal?: AbortSignal): ConnectError {
  if (thrown instanceof ConnectError) return thrown;
  if (signal?.aborted === true && signal.reason instanceof ConnectError) return signal.reason;
  return grpcError(registeredError(context, thrown));
}
