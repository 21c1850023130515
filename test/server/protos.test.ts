import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { CONTRACT } from "./harness.ts";

const PROTOS = fileURLToPath(new URL("../../protos", import.meta.url));

/** `Message.field` → number, as a proto file declares it. */
function numbers(file: string): Record<string, number> {
  const found: Record<string, number> = {};
  const scope: string[] = [];
  for (const line of readFileSync(`${PROTOS}/${file}`, "utf8").split("\n")) {
    const code = line.replace(/\/\/.*/, "").trim();
    const opened = /^(?:message|enum|oneof|service)\s+(\w+)\s*\{(\})?$/.exec(code);
    const field = /(\w+)\s*=\s*(\d+);$/.exec(code);
    if (opened?.[1] !== undefined && opened[2] === undefined) scope.push(code.startsWith("oneof") ? "" : opened[1]);
    else if (code === "}") scope.pop();
    else if (field?.[1] !== undefined)
      found[[...scope.filter(Boolean).slice(-1), field[1]].join(".")] = Number(field[2]);
  }
  return found;
}

test("names and numbers are Envoy's, and SPIFFE's", () => {
  expect(numbers("envoy/service/auth/v3/external_auth.proto")).toEqual({
    "CheckRequest.attributes": 1,
    "CheckResponse.status": 1,
    "CheckResponse.denied_response": 2,
    "CheckResponse.ok_response": 3,
    "CheckResponse.error_response": 5,
    "CheckResponse.dynamic_metadata": 4,
    "DeniedHttpResponse.status": 1,
    "DeniedHttpResponse.headers": 2,
    "DeniedHttpResponse.body": 3,
  });
  expect(numbers("envoy/service/auth/v3/attribute_context.proto")).toEqual({
    "Peer.service": 2,
    "Peer.principal": 4,
    "Peer.certificate": 5,
    "Request.http": 2,
    "HttpRequest.method": 2,
    "HttpRequest.headers": 3,
    "HttpRequest.path": 4,
    "HttpRequest.host": 5,
    "HttpRequest.header_map": 13,
    "TLSSession.sni": 1,
    "AttributeContext.source": 1,
    "AttributeContext.destination": 2,
    "AttributeContext.request": 4,
    "AttributeContext.context_extensions": 10,
    "AttributeContext.tls_session": 12,
  });
  expect(numbers("spiffe/workload/workload.proto")).toEqual({
    "X509SVIDResponse.svids": 1,
    "X509SVID.spiffe_id": 1,
    "X509SVID.x509_svid": 2,
    "X509SVID.x509_svid_key": 3,
    "X509SVID.bundle": 4,
  });
  expect(numbers("envoy/config/core/v3/base.proto")).toMatchObject({
    "HeaderValue.key": 1,
    "HeaderValue.value": 2,
    "HeaderValue.raw_value": 3,
    "HeaderValueOption.header": 1,
    "HeaderValueOption.append_action": 3,
    "HeaderMap.headers": 1,
  });
  expect(numbers("envoy/service/accesslog/v3/als.proto")).toEqual({
    "HTTPAccessLogEntries.log_entry": 1,
    "StreamAccessLogsMessage.http_logs": 2,
  });
  expect(numbers("envoy/data/accesslog/v3/accesslog.proto")).toMatchObject({
    "HTTPAccessLogEntry.common_properties": 1,
    "HTTPAccessLogEntry.request": 3,
    "HTTPAccessLogEntry.response": 4,
    "AccessLogCommon.upstream_remote_address": 13,
    "AccessLogCommon.response_flags": 16,
    "AccessLogCommon.filter_state_objects": 21,
    "AccessLogCommon.duration": 23,
    "AccessLogCommon.intermediate_log_entry": 27,
    "ResponseFlags.upstream_connection_failure": 6,
    "ResponseFlags.rate_limited": 12,
    "ResponseFlags.downstream_connection_termination": 15,
    "ResponseFlags.downstream_remote_reset": 28,
    "HTTPRequestProperties.request_body_bytes": 12,
    "HTTPResponseProperties.response_code": 1,
    "HTTPResponseProperties.response_body_bytes": 3,
    "HTTPResponseProperties.response_code_details": 6,
  });
  expect(numbers("envoy/config/core/v3/address.proto")).toEqual({
    "SocketAddress.address": 2,
    "SocketAddress.port_value": 3,
    "Address.socket_address": 1,
  });
  expect(numbers("google/rpc/status.proto")).toEqual({ "Status.code": 1, "Status.message": 2 });
});

test("unknown fields, however deep, are skipped", () => {
  const check = CONTRACT.authorizationClient.Check;
  // attributes { metadata_context (11) { 100,000 nested messages } }, which nobody unpacks
  let nested = Buffer.alloc(0);
  for (let depth = 0; depth < 5000; depth += 1) {
    const length: number[] = [];
    for (let rest = nested.length; ; rest >>= 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    nested = Buffer.concat([Buffer.from([0x0a, ...length]), nested]);
  }
  const size = (n: number) => (n < 128 ? [n] : [(n & 127) | 128, n >> 7]);
  const context = Buffer.concat([
    Buffer.from([0x5a, ...size(nested.length & 0x3fff)]),
    nested.subarray(0, nested.length & 0x3fff),
  ]);
  const attributes = Buffer.concat([Buffer.from([0x0a, ...size(context.length)]), context]);
  expect(check?.requestDeserialize(attributes)).toEqual({ attributes: {} });
});
