import { fileURLToPath } from "node:url";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import { type ServiceDefinition as LoadedService, loadSync } from "@grpc/proto-loader";
import { encodeCheckResponse } from "./encode-check-response.ts";
import { decodeLogMessage, type LogEntry } from "./gateway/decode-log-message.ts";
import type { CheckResponseMessage } from "./wire.ts";

/** The services as gRPC needs them, from protos/. */
export interface WireContract {
  /** `Check` takes bytes, for `decodeCheckRequest`, and gives bytes: answers are encoded once, by `encodeCheckResponse`. */
  readonly authorization: { readonly Check: MethodDefinition<Buffer, Buffer> } & ServiceDefinition;
  /** The same service as a client sees it. */
  readonly authorizationClient: LoadedService;
  /** What gateways that decide themselves send: a server is given entries, read by `decodeLogMessage`. */
  readonly accessLog: { readonly StreamAccessLogs: MethodDefinition<readonly LogEntry[], object> } & ServiceDefinition;
  /** The same service as a client sees it. */
  readonly accessLogClient: LoadedService;
  readonly health: LoadedService;
  encodeCheckResponse(message: CheckResponseMessage): Buffer;
}

const PROTOS = fileURLToPath(new URL("../../protos", import.meta.url));

/** Reads the wire contracts. @throws when the installation lacks them */
export function loadProtos(): WireContract {
  const files = [
    "envoy/service/auth/v3/external_auth.proto",
    "envoy/service/accesslog/v3/als.proto",
    "grpc/health/v1/health.proto",
  ];
  const loaded = loadSync(files, { includeDirs: [PROTOS], keepCase: true, longs: Number });
  const authorizationClient = loaded["envoy.service.auth.v3.Authorization"] as LoadedService;
  const accessLog = loaded["envoy.service.accesslog.v3.AccessLogService"] as LoadedService;
  const health = loaded["grpc.health.v1.Health"] as LoadedService;
  const asBytes = {
    requestSerialize: passThrough,
    requestDeserialize: passThrough,
    responseSerialize: passThrough,
    responseDeserialize: passThrough,
  };
  return {
    authorization: { Check: { ...authorizationClient.Check, ...asBytes } as MethodDefinition<Buffer, Buffer> },
    authorizationClient,
    accessLog: {
      StreamAccessLogs: { ...accessLog.StreamAccessLogs, requestDeserialize: decodeLogMessage } as MethodDefinition<
        readonly LogEntry[],
        object
      >,
    },
    accessLogClient: accessLog,
    health,
    encodeCheckResponse,
  };
}

/** The SPIFFE Workload API, as a client sees it. @throws when the installation lacks it */
export function loadWorkloadApi(): LoadedService {
  const loaded = loadSync("spiffe/workload/workload.proto", { includeDirs: [PROTOS], keepCase: true });
  return loaded.SpiffeWorkloadAPI as LoadedService;
}

function passThrough(bytes: Buffer): Buffer {
  return bytes;
}
