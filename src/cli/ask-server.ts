import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  credentials,
  type MethodDefinition,
  type ServiceError,
} from "@grpc/grpc-js";
import type { CheckAnswer } from "../analyze/answer.ts";
import type { AskedRequest, WrittenRequest } from "../analyze/request.ts";
import { isLocal, parseListenAddress } from "../server/address.ts";
import { loadProtos } from "../server/load-protos.ts";
import { singleUriSan } from "../server/uri-san.ts";
import type { CheckRequestMessage, CheckResponseMessage } from "../server/wire.ts";
import { checkMessage } from "./check-message.ts";

/** Where a server listens, and the certificates to show it. */
export interface ServerAddress {
  readonly address: string;
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  /** The SPIFFE ID that the server must have; null = its certificate names the host of the address. */
  readonly serverId: string | null;
}

/** What asking a server comes to. `usage` = the options make no sense. */
export type ServerAnswer =
  | { readonly ok: true; readonly value: CheckAnswer }
  | { readonly ok: false; readonly message: string; readonly fix: string | null; readonly usage: boolean };

interface Channel {
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
}

const DEADLINE_MS = 5000;
/** A handshake can name hosts only; this stands where an address was given. */
const NO_NAME = "server.invalid";

/** Asks a running server, as Envoy does. In clear only on this machine; elsewhere both sides show certificates. */
export async function askServer(
  request: WrittenRequest,
  asked: AskedRequest,
  server: ServerAddress,
): Promise<ServerAnswer> {
  const channel = await channelCredentials(server);
  if ("ok" in channel) return channel;
  const client = new Client(server.address, channel.credentials, channel.options);
  try {
    const response = await check(client, checkMessage(asked.input));
    return { ok: true, value: serverAnswer(request, asked, response) };
  } catch (error) {
    const why = (error as ServiceError).details ?? (error instanceof Error ? error.message : String(error));
    return failure(`${server.address} does not answer: ${why}`, "is it running there? see: sallyport serve --help");
  } finally {
    client.close();
  }
}

async function channelCredentials(server: ServerAddress): Promise<Channel | Extract<ServerAnswer, { ok: false }>> {
  const { address, ca, cert, key, serverId } = server;
  if (ca === null && cert === null && key === null && serverId === null) {
    const parsed = parseListenAddress(address);
    if (parsed !== null && isLocal(parsed)) return { credentials: credentials.createInsecure(), options: {} };
    return usage(`${address} is not on this machine`, "give --ca, --cert and --key, or an address like 127.0.0.1:9191");
  }
  if (ca === null || cert === null || key === null)
    return usage("certificates come together", "give --ca, --cert and --key");
  try {
    const [roots, ownKey, ownCert] = await Promise.all([readFile(ca), readFile(key), readFile(cert)]);
    const host = address.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
    const check = serverId === null ? requireHost(host) : requireUriSan(serverId);
    const options = isIP(host) === 0 ? {} : { "grpc.ssl_target_name_override": NO_NAME };
    return { credentials: credentials.createSsl(roots, ownKey, ownCert, { checkServerIdentity: check }), options };
  } catch (error) {
    return failure(error instanceof Error ? error.message : String(error), "check --ca, --cert and --key");
  }
}

/** A certificate for the host or address that was asked for, whatever name went into the handshake. */
function requireHost(host: string): typeof checkServerIdentity {
  return (_name, certificate) => checkServerIdentity(host, certificate);
}

/** A certificate with exactly one URI SAN, and that one as named. */
function requireUriSan(serverId: string): typeof checkServerIdentity {
  return (_host, certificate) => {
    const found = singleUriSan(new X509Certificate(certificate.raw));
    return found === serverId ? undefined : new Error(`the server is not ${serverId}`);
  };
}

function check(client: Client, message: CheckRequestMessage): Promise<CheckResponseMessage> {
  const method = loadProtos().authorizationClient.Check as MethodDefinition<CheckRequestMessage, CheckResponseMessage>;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      message,
      { deadline: Date.now() + DEADLINE_MS },
      (error, response) => (response === undefined ? reject(error ?? new Error("no answer")) : resolve(response)),
    );
  });
}

function serverAnswer(request: WrittenRequest, asked: AskedRequest, response: CheckResponseMessage): CheckAnswer {
  const told = (name: string): string | null => response.dynamic_metadata?.fields[name]?.stringValue || null;
  const rules = told("rules")?.split(",") ?? [];
  const shadow = told("shadow");
  return {
    from: request.from,
    to: request.to,
    note: asked.note,
    // As Envoy reads it: code 0 lets pass, and so does an answer that says nothing at all.
    effect: (response.status?.code ?? 0) === 0 ? "allow" : "deny",
    reason: told("reason") ?? "unknown",
    rules: rules.map((id) => ({ id, file: null, line: null, owner: null, ticket: null, reason: null })),
    shadow: shadow === "allow" || shadow === "deny" ? shadow : null,
    shadowRules: null,
    validUntil: null,
    subject: told("subject"),
    namespace: null,
    target: null,
    service: null,
    revision: told("revision"),
    enforced: null,
  };
}

function usage(message: string, fix: string): Extract<ServerAnswer, { ok: false }> {
  return { ok: false, message, fix, usage: true };
}

function failure(message: string, fix: string): Extract<ServerAnswer, { ok: false }> {
  return { ok: false, message, fix, usage: false };
}
