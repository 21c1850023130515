import type { CheckInput, CheckKind } from "../pdp/decision.ts";

/** A question that only asks who owns a host on a port: its content type fits plain HTTP and gRPC alike. */
export function probe(kind: CheckKind, principal: string, host: string, port: number): CheckInput {
  const http = kind === "http";
  const headers: CheckInput["headers"] = http ? [["content-type", "application/grpc"]] : [];
  return { kind, principal, host, port: String(port), method: http ? "POST" : "", path: http ? "/" : "", headers };
}
