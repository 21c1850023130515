import type { CheckInput } from "../pdp/decision.ts";
import { type HttpHeaders, readHttpHeaders } from "./http-headers.ts";
import type { PrincipalReader } from "./principal.ts";
import type { AttributeContextMessage, CheckRequestMessage, HttpRequestMessage } from "./wire.ts";

/** Names under which a generated route or listener says what it forwards to. */
export const EXTENSION = { host: "sallyport.host", port: "sallyport.port" } as const;
/** The same for network filters, which have no context extensions: initial metadata of their `grpc_service`. */
const METADATA = { host: "sallyport-host", port: "sallyport-port" } as const;

/** gRPC metadata, as far as it is read here. */
export interface RequestMetadata {
  get(key: string): readonly (string | Buffer)[];
}

/** A Check as the engine is asked, and what the audit record says beside. */
export interface ReadCheck {
  readonly input: CheckInput;
  /** As received, for the record; null on network Checks. */
  readonly path: string | null;
  readonly requestId: string | null;
  readonly traceId: string | null;
  /** The gateway's own identity as it states it; null when it states none. */
  readonly gateway: string | null;
}

/**
 * Reads a CheckRequest into the engine's terms (the policy information point). Whatever is absent becomes empty and
 * whatever contradicts itself becomes an undecidable host: the engine then refuses. Nothing is taken from headers about
 * who asks.
 */
export function readCheck(
  request: CheckRequestMessage,
  metadata: RequestMetadata,
  readPrincipal: PrincipalReader,
): ReadCheck {
  const attributes = request.attributes ?? {};
  const principal = readPrincipal(attributes.source);
  const gateway = attributes.destination?.principal || null;
  const http = attributes.request?.http;
  if (http === null || http === undefined) {
    return {
      input: networkInput(attributes, metadata, principal),
      path: null,
      requestId: null,
      traceId: null,
      gateway,
    };
  }
  const headers = readHttpHeaders(http);
  const port = attributes.context_extensions?.[EXTENSION.port] ?? null;
  const { requestId, traceId } = headers;
  return { ...httpInput(http, headers, principal, port), requestId, traceId, gateway };
}

function httpInput(
  http: HttpRequestMessage,
  headers: HttpHeaders,
  principal: string,
  port: string | null,
): Pick<ReadCheck, "input" | "path"> {
  const authority = http.host || (headers.authority ?? "");
  const host = headers.contradiction === null ? authority : `${authority} (${headers.contradiction})`;
  const method = headers.method ?? http.method ?? "";
  const path = headers.path ?? http.path ?? "";
  const asked = headers.raw ? path : doubtReplacedBytes(path);
  return { input: { kind: "http", principal, host, port, method, path: asked, headers: headers.pairs }, path };
}

/** Without raw headers Envoy puts `!` for bytes that are not UTF-8: such a path must not be matched as if it had said `!`. */
function doubtReplacedBytes(path: string): string {
  const mark = path.indexOf("!");
  if (mark === -1) return path;
  const query = path.indexOf("?");
  return query !== -1 && mark > query ? path : path.replaceAll("!", "%FF");
}

function networkInput(attributes: AttributeContextMessage, metadata: RequestMetadata, principal: string): CheckInput {
  const extensions = attributes.context_extensions ?? {};
  const named = extensions[EXTENSION.host] ?? single(metadata, METADATA.host);
  const port = extensions[EXTENSION.port] ?? single(metadata, METADATA.port);
  const kind = named === null ? "tls" : "tcp";
  return { kind, principal, host: named ?? sniOf(attributes), port, method: "", path: "", headers: [] };
}

/** The SNI; where Envoy tells it twice and differently, a text that is no host. */
function sniOf(attributes: AttributeContextMessage): string {
  const sni = attributes.tls_session?.sni ?? "";
  const service = attributes.destination?.service ?? "";
  if (sni === "" || service === "") return sni || service;
  return sni.toLowerCase() === service.toLowerCase() ? sni : `${sni} (the connection says ${service})`;
}

/** A metadata entry; repeated ones become a text that is neither host nor port. */
function single(metadata: RequestMetadata, key: string): string | null {
  const values = metadata.get(key);
  return values.length === 0 ? null : values.map(String).join(" ");
}
