import type { CheckInput, CheckKind } from "../pdp/decision.ts";
import type { PortProtocol } from "../policy/model.ts";

/** How a port that speaks a protocol is asked for. */
export const CHECK_KINDS: Readonly<Record<PortProtocol, CheckKind>> = {
  HTTP: "http",
  GRPC: "http",
  TLS: "tls",
  HTTPS: "tls",
  TCP: "tcp",
};

/** A question that only asks who owns a host on a port: its content type fits plain HTTP and gRPC alike. */
export function probe(kind: CheckKind, principal: string, host: string, port: number): CheckInput {
  const http = kind === "http";
  const headers: CheckInput["headers"] = http ? [["content-type", "application/grpc"]] : [];
  return { kind, principal, host, port: String(port), method: http ? "POST" : "", path: http ? "/" : "", headers };
}
