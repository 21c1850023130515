import type { ServerUnaryCall, ServerWritableStream, sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js";
import { status as Code } from "@grpc/grpc-js";

const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

/** Services that can be asked about; the empty name means the server as a whole. */
const SERVICES = new Set(["", "envoy.service.auth.v3.Authorization", "grpc.health.v1.Health"]);

interface HealthRequest {
  readonly service?: string;
}

interface HealthAnswer {
  readonly status: number;
}

/** The gRPC health service. */
export interface HealthService {
  readonly implementation: UntypedServiceImplementation;
  /** Tells watchers when it changes. */
  setServing(serving: boolean): void;
  /** Ends all watches, so that connections can close. */
  close(): void;
}

/** A health service that begins with NOT_SERVING. */
export function createHealthService(): HealthService {
  let serving = false;
  const watches = new Set<ServerWritableStream<HealthRequest, HealthAnswer>>();
  const present = (): HealthAnswer => ({ status: serving ? SERVING : NOT_SERVING });

  return {
    implementation: {
      Check(call: ServerUnaryCall<HealthRequest, HealthAnswer>, reply: sendUnaryData<HealthAnswer>) {
        if (SERVICES.has(call.request.service ?? "")) reply(null, present());
        else reply({ code: Code.NOT_FOUND, details: "unknown service" });
      },
      Watch(call: ServerWritableStream<HealthRequest, HealthAnswer>) {
        if (!SERVICES.has(call.request.service ?? "")) {
          call.write({ status: SERVICE_UNKNOWN });
          return;
        }
        watches.add(call);
        call.on("cancelled", () => watches.delete(call));
        call.write(present());
      },
    },
    setServing(next) {
      if (next === serving) return;
      serving = next;
      for (const watch of watches) watch.write(present());
    },
    close() {
      for (const watch of watches) watch.end();
      watches.clear();
    },
  };
}
