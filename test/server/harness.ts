import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ChannelCredentials,
  Client,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceError,
} from "@grpc/grpc-js";
import type { AuditRecord } from "../../src/audit/record.ts";
import type { AuditTrail } from "../../src/audit/trail.ts";
import type { Decision } from "../../src/pdp/decision.ts";
import { createPdp, type DecisionEngine, type Pdp } from "../../src/pdp/pdp.ts";
import type { ListenAddress } from "../../src/server/address.ts";
import { type Admission, type AdmissionOptions, createAdmission } from "../../src/server/admission.ts";
import { openTlsSource, type TlsOptions } from "../../src/server/certificates/tls-source.ts";
import { createCheckHandler } from "../../src/server/check-service.ts";
import type { TraceCheck } from "../../src/server/check-tracer.ts";
import { createGatewaySeat } from "../../src/server/gateway/gateway-seat.ts";
import { policyPage } from "../../src/server/gateway/policy-page.ts";
import { createHealthService, type HealthService } from "../../src/server/health.ts";
import { type ListenerOptions, openListener } from "../../src/server/listener.ts";
import { loadProtos } from "../../src/server/load-protos.ts";
import { createMetrics, type Metrics } from "../../src/server/metrics.ts";
import { metricsPage } from "../../src/server/metrics-page.ts";
import { createPageServer } from "../../src/server/page-server.ts";
import type { LoadedPolicies } from "../../src/server/policy-state.ts";
import { createRecordedHeaders } from "../../src/server/recorded-headers.ts";
import { createRenderer, type Rendered, sizeOfRendered } from "../../src/server/rendered.ts";
import type { CheckRequestMessage, CheckResponseMessage } from "../../src/server/wire.ts";
import { memorySink, trailOver } from "../audit/fixtures.ts";

export const CONTRACT = loadProtos();
const CHECK = CONTRACT.authorizationClient.Check as MethodDefinition<CheckRequestMessage, CheckResponseMessage>;

/** A decision that allows and depends on nothing; change what matters. */
export function decision(changes: Partial<Decision> = {}): Decision {
  return {
    effect: "allow",
    reason: "allowed-by-rule",
    rules: ["payments/stripe/charge"],
    shadow: "allow",
    shadowRules: ["payments/stripe/charge"],
    validUntil: null,
    dependsOn: { method: false, path: false, contentType: false, headers: [] },
    cacheable: true,
    subject: { spiffeId: CHECKOUT, namespace: "payments", serviceAccount: "checkout" },
    target: { host: "api.stripe.com", port: 80 },
    service: "stripe",
    note: { policy: "payments/stripe", owner: "payments-team@example.com", ticket: "SEC-1", reason: "card payments" },
    ...changes,
  };
}

export const CHECKOUT = "spiffe://cluster.local/ns/payments/sa/checkout";

/** An HTTP Check as Envoy sends it with raw headers. */
export function httpCheck(
  changes: {
    readonly method?: string;
    readonly path?: string;
    readonly host?: string;
    readonly principal?: string;
    readonly headers?: readonly (readonly [string, string | Uint8Array])[];
  } = {},
): CheckRequestMessage {
  const { method = "GET", path = "/v1/charges", host = "api.stripe.com", principal = CHECKOUT, headers = [] } = changes;
  const pseudo = [
    [":authority", host],
    [":method", method],
    [":path", path],
    [":scheme", "http"],
  ] as const;
  const pairs = [...pseudo, ...headers].map(([key, value]) => ({ key, raw_value: Buffer.from(value as string) }));
  return {
    attributes: {
      source: { principal },
      destination: { principal: "spiffe://cluster.local/ns/istio-egress/sa/egress" },
      request: { http: { method, path, host, header_map: { headers: pairs } } },
      context_extensions: { "sallyport.port": "80" },
    },
  };
}

export interface Answering {
  readonly address: string;
  readonly pdp: Pdp<Rendered>;
  readonly health: HealthService;
  readonly metrics: Metrics;
  readonly admission: Admission;
  readonly thrown: unknown[];
  readonly refusals: () => number;
  readonly warnings: string[];
  /** Audit lines, parsed. */
  records(): AuditRecord[];
  shutdown(limitMs: number): Promise<void>;
  close(): Promise<void>;
}

/** A listener with everything behind it but a policy directory: the engine is the caller's. */
export async function startAnswering(
  engine: DecisionEngine | null,
  options: Partial<Pick<ListenerOptions, "address" | "callers" | "readers">> & {
    tls?: TlsOptions;
    now?: () => number;
    recorded?: readonly string[];
    overload?: AdmissionOptions;
    /** In place of a trail in mode `batch` over a sink in memory. */
    trail?: AuditTrail;
    loaded?: LoadedPolicies;
    trace?: TraceCheck;
  } = {},
): Promise<Answering> {
  const sink = memorySink();
  const metrics = createMetrics({
    cache: { cacheBytes: 0, cacheEntries: 0 },
    audit: { state: sink.state, sinks: [] },
    loaded: () => null,
    staleNamespaces: () => 0,
    policyErrors: () => new Map(),
    certificateEndMs: () => null,
    now: Date.now,
  });
  const renderer = createRenderer({
    encode: CONTRACT.encodeCheckResponse,
    counter: (...sort) => metrics.counter("server", ...sort),
  });
  const pdp = createPdp<Rendered>({ render: renderer.decision, sizeOf: sizeOfRendered, maxCacheBytes: 1 << 24 });
  if (engine !== null) pdp.install(engine);
  const thrown: unknown[] = [];
  const warnings: string[] = [];
  const health = createHealthService();
  let refused = 0;
  const trail = options.trail ?? (await trailOver("batch", { memory: async () => sink }, { now: Date.now }));
  const seat = createGatewaySeat({
    mode: "batch",
    trail,
    recordedHeaders: null,
    sign: null,
    registry: metrics.registry,
    counter: (...sort) => metrics.counter("gateway", ...sort),
    warn: (error) => thrown.push(error),
  });
  const admission = createAdmission(options.overload ?? { maxWaitMs: 60_000, maxInFlight: 1024 });
  const check = createCheckHandler({
    pdp,
    renderer,
    trail,
    recordedHeaders: createRecordedHeaders(options.recorded ?? [], []),
    admission,
    now: options.now ?? Date.now,
    observe: metrics.observe,
    failed: (error) => thrown.push(error),
    trace: options.trace ?? null,
  });
  const { tls, ...chosen } = options;
  const certificates = tls === undefined ? null : await openTlsSource(tls, (message) => warnings.push(message));
  const listener = await openListener({
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    callers: () => null,
    readers: () => null,
    ...chosen,
    tls: certificates,
    contract: CONTRACT,
    check,
    admission,
    health,
    accessLogs: seat.accessLogs,
    policies: createPageServer("/v1/bundle", ({ headers }) =>
      policyPage(headers, { loaded: () => options.loaded ?? null, ready: () => true, lessor: seat.lessor }),
    ),
    figures: createPageServer("/metrics", () => metricsPage(metrics.registry)),
    flooded() {},
    refused: () => {
      refused += 1;
    },
    warn: (message) => warnings.push(message),
  });
  return {
    address: listener.address,
    pdp,
    health,
    metrics,
    admission,
    thrown,
    warnings,
    refusals: () => refused,
    records: () => sink.lines.map((line) => JSON.parse(line)),
    shutdown: listener.shutdown,
    async close() {
      await listener.shutdown(500);
      certificates?.close();
      metrics.close();
    },
  };
}

export interface CheckClient {
  check(message: CheckRequestMessage, metadata?: Readonly<Record<string, string>>): Promise<CheckResponseMessage>;
  /** Sends bytes as they are. */
  send(bytes: Buffer, metadata?: Readonly<Record<string, string>>): Promise<CheckResponseMessage>;
  close(): void;
}

/** A gRPC client with a connection of its own. */
export function connectClient(
  address: string,
  channel: ChannelCredentials = credentials.createInsecure(),
): CheckClient {
  const client = new Client(address, channel, { "grpc.use_local_subchannel_pool": 1 });
  const send: CheckClient["send"] = (bytes, metadata = {}) => {
    const initial = new Metadata();
    for (const [key, value] of Object.entries(metadata)) initial.set(key, value);
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, answer?: CheckResponseMessage) =>
        answer === undefined ? reject(error ?? new Error("no answer")) : resolve(answer);
      const options = { deadline: Date.now() + 10_000 };
      client.makeUnaryRequest(
        CHECK.path,
        (raw: Buffer) => raw,
        CHECK.responseDeserialize,
        bytes,
        initial,
        options,
        done,
      );
    });
  };
  return {
    check: (message, metadata) => send(CHECK.requestSerialize(message), metadata),
    send,
    close: () => client.close(),
  };
}

/** What Envoy would put under its filter's name. */
export function told(answer: CheckResponseMessage): Record<string, string> {
  const fields = Object.entries(answer.dynamic_metadata?.fields ?? {});
  return Object.fromEntries(fields.map(([key, { stringValue }]) => [key, stringValue]));
}

/** A Unix socket's address in a directory of its own. */
export function unixAddress(): ListenAddress & { readonly kind: "unix"; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-"));
  return {
    kind: "unix",
    path: join(directory, "s.sock"),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
