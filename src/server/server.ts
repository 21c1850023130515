import { hostname } from "node:os";
import { openTrail } from "../audit/trail.ts";
import { loadEngine } from "../pdp/engine.ts";
import { readEngineModule } from "../pdp/engine-module.ts";
import { createPdp } from "../pdp/pdp.ts";
import { openAdmin } from "./admin.ts";
import { createAdmission } from "./admission.ts";
import { createCallerCheck } from "./caller.ts";
import { openTlsSource, type TlsSource } from "./certificates/tls-source.ts";
import { createCheckHandler } from "./check-service.ts";
import type { CheckTracer } from "./check-tracer.ts";
import { createConsolePages } from "./console-page.ts";
import { drain } from "./drain.ts";
import { registerExceptionMetrics } from "./exception-metrics.ts";
import { createExceptionWatch } from "./exception-watch.ts";
import { createGatewaySeat } from "./gateway/gateway-seat.ts";
import { readLeaseSigner } from "./gateway/lease-signer.ts";
import { type PolicySource, policyPage } from "./gateway/policy-page.ts";
import { createHealthService } from "./health.ts";
import type { HttpPort } from "./http-port.ts";
import { inTurns } from "./in-turns.ts";
import { readKept } from "./kept-policies.ts";
import { openKubernetesSource } from "./kubernetes/source.ts";
import { type Listener, openListener } from "./listener.ts";
import type { LoadOutcome } from "./load-outcome.ts";
import { loadProtos } from "./load-protos.ts";
import type { Logger } from "./logger.ts";
import { createMetrics } from "./metrics.ts";
import { metricsPage } from "./metrics-page.ts";
import { trailSinks } from "./open-sinks.ts";
import type { ServerOptions } from "./options.ts";
import { watchOverload } from "./overload-watch.ts";
import { createPageServer } from "./page-server.ts";
import { createDirectorySource } from "./policy-source.ts";
import { createPolicyState } from "./policy-state.ts";
import { openProbes } from "./probes.ts";
import { createRecordedHeaders } from "./recorded-headers.ts";
import { createReloader } from "./reload.ts";
import { createRenderer, sizeOfRendered } from "./rendered.ts";
import { registerTraceMetrics } from "./trace-metrics.ts";
import { VERSION } from "./version.ts";

/** A server that answers. */
export interface RunningServer {
  /** Addresses of the listeners, in the order of the options, with the ports that were really taken. */
  readonly addresses: readonly string[];
  readonly adminAddress: string | null;
  readonly probesAddress: string | null;
  readonly revision: string | null;
  /** What came of the first look at the policies. */
  readonly firstLoad: LoadOutcome["kind"];
  /** Looks at the policy directory now. */
  reload(): Promise<LoadOutcome>;
  /** Stops as Kubernetes expects it: not ready, wait, GOAWAY, finish, flush. */
  drain(): Promise<void>;
}

/**
 * Starts the server: opens the listeners, loads the policies, watches them. Until the first policies are loaded every
 * Check is answered `no-policy`. @throws when an address, a certificate or the audit file cannot be had
 */
export async function startServer(options: ServerOptions, log: Logger): Promise<RunningServer> {
  const now = options.now ?? Date.now;
  const { policies: place, state } = options;
  const kept = state === null || place.kind !== "directory" ? null : readKept(state, place.path);
  const module = readEngineModule();
  const contract = loadProtos();
  const { mode, require, sinks, headers } = options.audit;
  const sign = options.bundle.key === null ? null : await readLeaseSigner(options.bundle.key);
  const trail = await openTrail({
    mode,
    require,
    sinks: trailSinks(sinks, now),
    now,
    changed(sink, failure) {
      if (failure === null) log.info({ sink, audit: { ...trail.state } }, "the audit trail is written again");
      else log.error({ sink, failure, mode }, "the audit trail cannot be written");
      health.setServing(readiness().ready);
    },
    warn: (message) => log.warn(message),
  });
  const metrics = createMetrics({
    cache: {
      get cacheBytes() {
        return pdp.cacheBytes;
      },
      get cacheEntries() {
        return pdp.cacheEntries;
      },
    },
    audit: trail,
    loaded: () => policies.loaded,
    staleNamespaces: () => policies.stale.length,
    policyErrors: () => policies.errors,
    certificateEndMs: () => certificates?.material.notAfterMs ?? null,
    now,
  });
  const renderer = createRenderer({
    encode: contract.encodeCheckResponse,
    counter: (...sort) => metrics.counter("server", ...sort),
  });
  const pdp = createPdp({ render: renderer.decision, sizeOf: sizeOfRendered, maxCacheBytes: options.cache.maxBytes });
  const exceptions = createExceptionWatch({ leadMs: options.exceptions.leadMs, now, trail, log });
  registerExceptionMetrics(metrics.registry, exceptions.counts);
  const policies = createPolicyState({
    createEngine: (bundle, revision) => inTurns(loadEngine(module, bundle, revision)),
    install: pdp.install,
    now,
    counted: metrics.reload,
    trail,
    exceptions,
    log,
  });
  const health = createHealthService();
  const admission = createAdmission(options.overload);
  const overload = watchOverload({ admission, registry: metrics.registry, trail, log });
  const recordedHeaders = createRecordedHeaders(headers.include, headers.exclude);
  let toldMs = Number.NEGATIVE_INFINITY;
  const tracer = await openTracer(options.traces);
  if (tracer !== null) registerTraceMetrics(metrics.registry, tracer.counts);
  const check = createCheckHandler({
    pdp,
    renderer,
    trail,
    recordedHeaders,
    admission,
    now,
    observe: metrics.observe,
    failed(error) {
      metrics.internalError();
      // A broken engine fails every Check: the counter tells how often, the log why, once a second.
      if (Math.abs(now() - toldMs) < 1000) return;
      toldMs = now();
      log.error({ err: error }, "a Check failed and was denied");
    },
    trace: tracer?.trace ?? null,
  });

  const serverName = `${hostname()}/${process.pid}`;
  const own = () => {
    const revision = pdp.revision;
    return revision === null ? null : { name: serverName, revision, gateways: seat.workers };
  };
  const warn = (message: string, error: unknown) => log.warn({ err: error }, message);
  const source =
    place.kind === "directory"
      ? createDirectorySource(place.path)
      : await openKubernetesSource(place, {
          rootNamespace: place.rootNamespace,
          seat: own,
          now,
          warn,
          registry: metrics.registry,
        });

  let draining = false;
  const readiness = () => ({
    // Where answers need their records, a server that cannot write them lets others answer.
    ready: policies.loaded !== null && !draining && (mode === "drop" || trail.state.failure === null),
    draining,
    revision: policies.loaded?.revision ?? null,
    problem: policies.problem,
    staleNamespaces: policies.stale.map((each) => each.namespace),
    audit: { ...trail.state, sinks: trail.sinks.map(({ name, state }) => ({ name, ...state })) },
  });
  const reloader = createReloader({
    source,
    pollMs: options.reload.pollMs,
    deadlineMs: options.reload.deadlineMs,
    state: options.state,
    notKept: (why) => log.warn({ state: options.state, why }, "the policies cannot be kept for the next start"),
    async apply(outcome) {
      await policies.apply(outcome);
      health.setServing(readiness().ready);
    },
  });

  const seat = createGatewaySeat({
    mode,
    trail,
    recordedHeaders: headers.include.length === 0 ? null : recordedHeaders.names,
    sign,
    registry: metrics.registry,
    counter: (...sort) => metrics.counter("gateway", ...sort),
    warn: (error) => log.warn({ err: error }, "an entry of a gateway's access log holds no report"),
  });
  const policySource: PolicySource = {
    loaded: () => policies.loaded,
    ready: () => readiness().ready,
    lessor: seat.lessor,
  };
  const policyServer = createPageServer("/v1/bundle", ({ headers }) => policyPage(headers, policySource));
  const figures = createPageServer("/metrics", () => metricsPage(metrics.registry));
  const listeners: Listener[] = [];
  let admin: HttpPort | null = null;
  let probes: HttpPort | null = null;
  let certificates: TlsSource | null = null;
  try {
    const callers = createCallerCheck(options.allowedCallers);
    const readers = createCallerCheck(options.metricsReaders);
    if (options.tls !== null) {
      certificates = await openTlsSource(options.tls, (message, error) => log.warn({ err: error }, message));
    }
    for (const address of options.listen) {
      listeners.push(
        await openListener({
          address,
          tls: address.kind === "unix" ? null : certificates,
          callers,
          contract,
          check,
          admission,
          health,
          accessLogs: seat.accessLogs,
          policies: policyServer,
          readers,
          figures,
          refused: metrics.refusedCaller,
          flooded: metrics.flooded,
          warn: (message, error) => log.warn({ err: error }, message),
        }),
      );
    }
    if (options.admin !== null) {
      const { registry } = metrics;
      admin = await openAdmin(options.admin, {
        registry,
        readiness,
        recent: trail.recent,
        policies: policySource,
        seats: () => ({
          server: {
            name: serverName,
            revision: policies.loaded?.revision ?? null,
            since: policies.loaded === null ? null : new Date(policies.loaded.sinceMs).toISOString(),
          },
          gateways: seat.leases.all(),
        }),
        console: createConsolePages(),
      });
    }
    if (options.probes !== null) probes = await openProbes(options.probes, () => readiness().ready);
  } catch (error) {
    await admin?.close();
    for (const each of listeners) await each.shutdown(0);
    certificates?.close();
    overload.close();
    await trail.close();
    await tracer?.close();
    exceptions.close();
    metrics.close();
    throw error;
  }
  const addresses = listeners.map((each) => each.address);
  const adminAddress = admin?.address ?? null;
  const probesAddress = probes?.address ?? null;
  const ports = [admin, probes].filter((each) => each !== null);
  log.info({ listen: addresses, admin: adminAddress, probes: probesAddress }, "listening");
  const audit = { mode, require, sinks: sinks.map(({ kind }) => kind), headers: recordedHeaders.names };
  trail.event({ event: "started", detail: { version: VERSION, node: process.version, listen: addresses, audit } });
  const found = (await kept) ?? { kind: "none" };
  if (found.kind === "refused") {
    log.warn({ state: options.state, why: found.why }, "what an earlier run kept of the policies is not used");
  }
  const { kind: firstLoad } = await reloader.resume(found);
  reloader.start();

  return {
    addresses,
    adminAddress,
    probesAddress,
    get revision() {
      return pdp.revision;
    },
    firstLoad,
    reload: reloader.load,
    async drain() {
      draining = true;
      exceptions.close();
      await drain({
        health,
        accessLogs: seat.accessLogs,
        listeners,
        reloader,
        overload,
        trail,
        ports,
        ...options.drain,
        log,
      });
      await tracer?.close();
      certificates?.close();
      seat.close();
      metrics.close();
    },
  };
}

/** OpenTelemetry is loaded only where it is used. */
async function openTracer(options: ServerOptions["traces"]): Promise<CheckTracer | null> {
  if (options === null) return null;
  const { createCheckTracer } = await import("./check-tracer.ts");
  return createCheckTracer({ ...options, version: VERSION });
}
