import type { CheckInput } from "../pdp/decision.ts";
import { EXTENSION } from "../server/decode-check-request.ts";
import type { AttributeContextMessage, CheckRequestMessage, HeaderValueMessage } from "../server/wire.ts";

/** The Check that Envoy would send for an input, with raw headers, for asking a server as Envoy does. */
export function checkMessage(input: CheckInput): CheckRequestMessage {
  const source = input.principal === "" ? {} : { principal: input.principal };
  return { attributes: { source, ...(input.kind === "http" ? httpAttributes(input) : networkAttributes(input)) } };
}

function httpAttributes(input: CheckInput): AttributeContextMessage {
  const { host, method, path, port } = input;
  const pseudo: HeaderValueMessage[] = [];
  for (const [key, value] of [
    [":authority", host],
    [":method", method],
    [":path", path],
  ] as const) {
    if (!input.headers.some(([name]) => name === key)) pseudo.push(headerValue(key, value));
  }
  const headers = [...pseudo, ...input.headers.map(([key, value]) => headerValue(key, value))];
  const context_extensions: Record<string, string> = port === null ? {} : { [EXTENSION.port]: port };
  return { request: { http: { method, path, host, header_map: { headers } } }, context_extensions };
}

function networkAttributes({ kind, host, port }: CheckInput): AttributeContextMessage {
  const named: Record<string, string> = port === null ? {} : { [EXTENSION.port]: port };
  if (kind === "tcp") return { context_extensions: { ...named, [EXTENSION.host]: host } };
  return { context_extensions: named, destination: { service: host }, tls_session: { sni: host } };
}

function headerValue(key: string, value: string | Uint8Array): HeaderValueMessage {
  return { key, raw_value: typeof value === "string" ? Buffer.from(value, "utf8") : value };
}
