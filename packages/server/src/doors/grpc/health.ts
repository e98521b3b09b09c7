/** `grpc.health.v1.Health`: the host and its one service serve until the host shuts down. */
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { HealthCheckResponse_ServingStatus as Status, type Health } from "../../protobuf/_generated/grpc/health/v1/health_pb.js";

/** `ending` aborts when the host begins to shut down. */
export function health(services: readonly string[], ending: AbortSignal): ServiceImpl<typeof Health> {
  const isKnown = (service: string) => service === "" || services.includes(service);
  const status = () => (ending.aborted ? Status.NOT_SERVING : Status.SERVING);
  return {
    check: ({ service }) => {
      if (!isKnown(service)) throw new ConnectError("There is no such service.", Code.NotFound);
      return { status: status() };
    },
    watch: async function* ({ service }, { signal }) {
      yield { status: isKnown(service) ? status() : Status.SERVICE_UNKNOWN };
      await aborted(AbortSignal.any([signal, ending]));
      if (!signal.aborted && isKnown(service)) yield { status: status() };
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
