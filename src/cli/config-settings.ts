import { z } from "zod";
import { parseListenAddress } from "../server/address.ts";
import { isCallerPattern } from "../server/caller.ts";
import { LOG_LEVELS } from "../server/logger.ts";

/**
 * The settings of `serve`: what `sallyport.config.yaml` may hold. Flags and `SALLYPORT_*` variables are named after the
 * place in this schema: `audit.maxSize` is `--audit-max-size` and `SALLYPORT_AUDIT_MAX_SIZE`. Each description is a
 * line of docs/configuration.md and of `serve --help`.
 */
export const CONFIG_SCHEMA = z.strictObject({
  policies: z.string().min(1).default("./policies").describe("directory of the policy set"),
  listen: z
    .array(
      z
        .string()
        .refine((text) => parseListenAddress(text) !== null, "write it as 127.0.0.1:9191, [::]:9191 or unix:/path"),
    )
    .min(1)
    .default(["127.0.0.1:9191"])
    .describe("addresses for Envoy: IP:PORT or unix:/path; without tls only loopback addresses and Unix sockets"),
  allowedCallers: z
    .array(z.string().refine(isCallerPattern, "write it as spiffe://DOMAIN/path, exact or with a trailing /*"))
    .default([])
    .describe("SPIFFE IDs that may ask over mTLS, exact or with a trailing /*; none listed means nobody"),
  tls: z
    .strictObject({
      certificate: z
        .string()
        .default("")
        .describe("PEM file of the server's certificate; with it every TCP address speaks mTLS"),
      key: z.string().default("").describe("PEM file of its key"),
      clientCa: z.string().default("").describe("PEM file of the roots that sign callers' certificates"),
      poll: duration("10s").describe("how often these files are read again"),
    })
    .prefault({}),
  admin: z
    .string()
    .refine((text) => text === "none" || parseListenAddress(text) !== null, "write it as 127.0.0.1:9192, or none")
    .default("127.0.0.1:9192")
    .describe("loopback address of metrics, probes and recent decisions, or none"),
  audit: z
    .strictObject({
      to: z.string().min(1).default("stdout").describe("stdout, none, or the path of a file"),
      mode: z
        .enum(["strict", "batch", "drop"])
        .default("batch")
        .describe(
          "while the trail cannot be written: strict (an answer waits for its durable record), batch (at most 256 answers are ahead of theirs), drop (lost records are counted)",
        ),
      maxSize: size("100MiB").describe("a file that would grow past this is rotated"),
      maxFiles: z.int().min(0).max(10_000).default(10).describe("rotated files that are kept"),
      key: z.string().default("").describe("PEM file of an Ed25519 private key that signs the seals of the file"),
    })
    .prefault({}),
  cache: z
    .strictObject({ maxSize: size("64MiB").describe("bound of the decision cache; 0 turns it off") })
    .prefault({}),
  reload: z
    .strictObject({
      poll: duration("5s").describe("how often the policy directory is compared, whether or not a change was seen"),
      deadline: duration("60s").describe("a load that takes longer is given up"),
    })
    .prefault({}),
  drain: z
    .strictObject({
      wait: duration("3s").describe("after SIGTERM: time for load balancers to notice, during which it still answers"),
      limit: duration("10s").describe("then: time for calls to finish after GOAWAY"),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(LOG_LEVELS).default("info").describe(LOG_LEVELS.join(", ")) }).prefault({}),
});

/** A complete configuration, with durations and sizes as written. */
export type Config = z.output<typeof CONFIG_SCHEMA>;

/** Milliseconds of `250ms`, `5s`, `2m` or `1h`; null for anything else. */
export function parseDuration(text: string): number | null {
  const [, digits = "", unit = ""] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit];
  return factor === undefined || Number(digits) * factor > 2 ** 31 - 1 ? null : Number(digits) * factor;
}

/** Bytes of `1024`, `64KiB`, `100MiB` or `2GiB`; null for anything else. */
export function parseSize(text: string): number | null {
  const [, digits = "", unit = "none"] = /^(\d{1,12})(KiB|MiB|GiB)?$/.exec(text) ?? [];
  const factor = { none: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }[unit];
  return digits === "" || factor === undefined ? null : Number(digits) * factor;
}

function duration(standard: string) {
  return z
    .string()
    .refine((text) => parseDuration(text) !== null, "write it as 250ms, 5s, 2m or 1h")
    .default(standard);
}

function size(standard: string) {
  return z
    .union([z.string(), z.int().min(0).transform(String)])
    .refine((text) => parseSize(text) !== null, "write it as 64MiB, 100KiB or a number of bytes")
    .default(standard);
}
