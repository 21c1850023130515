import { fileURLToPath } from "node:url";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import { type ServiceDefinition as LoadedService, loadSync } from "@grpc/proto-loader";
import { encodeCheckResponse } from "./encode-check-response.ts";
import type { CheckRequestMessage, CheckResponseMessage } from "./wire.ts";

/** The services as gRPC needs them, from protos/. */
export interface WireContract {
  /** `Check` takes messages and gives bytes: answers are encoded once, by `encodeCheckResponse`, and passed through. */
  readonly authorization: { readonly Check: MethodDefinition<CheckRequestMessage, Buffer> } & ServiceDefinition;
  /** The same service as a client sees it. */
  readonly authorizationClient: LoadedService;
  readonly health: LoadedService;
  encodeCheckResponse(message: CheckResponseMessage): Buffer;
}

const PROTOS = fileURLToPath(new URL("../../protos", import.meta.url));

/** Reads the wire contracts. @throws when the installation lacks them */
export function loadProtos(): WireContract {
  const loaded = loadSync(["envoy/service/auth/v3/external_auth.proto", "grpc/health/v1/health.proto"], {
    includeDirs: [PROTOS],
    keepCase: true,
  });
  const authorizationClient = loaded["envoy.service.auth.v3.Authorization"] as LoadedService;
  const health = loaded["grpc.health.v1.Health"] as LoadedService;
  const check = authorizationClient.Check as MethodDefinition<CheckRequestMessage, Buffer>;
  return {
    authorization: { Check: { ...check, responseSerialize: passThrough, responseDeserialize: passThrough } },
    authorizationClient,
    health,
    encodeCheckResponse,
  };
}

function passThrough(bytes: Buffer): Buffer {
  return bytes;
}
