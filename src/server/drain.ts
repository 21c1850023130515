import { setTimeout } from "node:timers/promises";
import type { AuditTrail } from "../audit/trail.ts";
import type { AccessLogService } from "./gateway/access-log-service.ts";
import type { HealthService } from "./health.ts";
import type { HttpPort } from "./http-port.ts";
import type { Listener } from "./listener.ts";
import type { Logger } from "./logger.ts";
import type { Reloader } from "./reload.ts";

/** What is stopped, in this order. */
export interface DrainOptions {
  readonly health: HealthService;
  readonly accessLogs: AccessLogService;
  readonly listeners: readonly Listener[];
  readonly reloader: Reloader;
  /** What remains to be told of Checks that were refused goes to the trail. */
  readonly overload: { close(): void };
  readonly trail: AuditTrail;
  /** Administration and probes, open to the end. */
  readonly ports: readonly HttpPort[];
  /** Time for load balancers to learn that this server is not ready; it answers meanwhile. */
  readonly waitMs: number;
  /** Time for calls to finish after GOAWAY. */
  readonly limitMs: number;
  readonly log: Logger;
}

/** Stops answering without losing an answer or a record. The caller has already become not ready. */
export async function drain(options: DrainOptions): Promise<void> {
  const { health, accessLogs, listeners, reloader, overload, trail, ports, waitMs, limitMs, log } = options;
  log.info({ waitMs, limitMs }, "draining");
  health.setServing(false);
  await setTimeout(waitMs);
  health.close();
  accessLogs.close();
  await Promise.all(listeners.map((each) => each.shutdown(limitMs)));
  await reloader.close();
  overload.close();
  await trail.close();
  await Promise.all(ports.map((each) => each.close()));
  log.info({ audit: { ...trail.state } }, "drained");
}
