import { z } from "zod";
import { SHAPES } from "../audit/shape.ts";
import { parseListenAddress } from "../server/address.ts";
import { isCallerPattern } from "../server/caller.ts";
import { LOG_LEVELS } from "../server/logger.ts";

/** Headers that may hold secrets. */
const SECRET_HEADERS = [
  "*auth*",
  "*cookie*",
  "*token*",
  "*secret*",
  "*password*",
  "*api-key*",
  "*apikey*",
  "*credential*",
];

/**
 * The settings of `serve`: what `sallyport.config.yaml` may hold. Flags and `SALLYPORT_*` variables are named after the
 * place in this schema: `audit.maxSize` is `--audit-max-size` and `SALLYPORT_AUDIT_MAX_SIZE`. Each description is a
 * line of docs/configuration.md and of `serve --help`.
 */
export const CONFIG_SCHEMA = z.strictObject({
  policies: z.string().min(1).default("./policies").describe("directory of the policy set"),
  policySource: z
    .enum(["directory", "kubernetes"])
    .default("directory")
    .describe("where policies come from: that directory, or the custom resources of a cluster"),
  kubernetes: z
    .strictObject({
      kubeconfig: z
        .string()
        .default("")
        .describe("file that says where the API server is; none: the pod's own service account"),
      rootNamespace: z
        .string()
        .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "write the name of a namespace")
        .default("istio-egress")
        .describe("the gateway's namespace: its objects speak for all, others for their own namespace only"),
    })
    .prefault({}),
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
  metricsReaders: z
    .array(z.string().refine(isCallerPattern, "write it as spiffe://DOMAIN/path, exact or with a trailing /*"))
    .default([])
    .describe("SPIFFE IDs that may read /metrics on the mTLS addresses, over HTTP/1.1, and nothing else"),
  tls: z
    .strictObject({
      certificate: z
        .string()
        .default("")
        .describe("PEM file of the server's certificate; with it every TCP address speaks mTLS"),
      key: z.string().default("").describe("PEM file of its key"),
      clientCa: z.string().default("").describe("PEM file of the roots that sign callers' certificates"),
      poll: duration("10s").describe("how often these files are read again"),
      workloadApi: z
        .string()
        .refine((text) => text === "" || /^unix:\//.test(text), "write it as unix:///path of its socket")
        .transform((text) => text.replace(/^unix:\/+/, "unix:/"))
        .default("")
        .describe("in their place, the socket of a SPIFFE Workload API (SPIRE's agent), as unix:///path"),
    })
    .prefault({}),
  admin: z
    .string()
    .refine((text) => text === "none" || parseListenAddress(text) !== null, "write it as 127.0.0.1:9192, or none")
    .default("127.0.0.1:9192")
    .describe("loopback address of metrics, probes and recent decisions, or none"),
  probes: z
    .string()
    .refine((text) => text === "none" || parseListenAddress(text) !== null, "write it as 0.0.0.0:9193, or none")
    .default("none")
    .describe(
      "address of /livez and /readyz for a kubelet, without particulars and open to whoever reaches it, or none",
    ),
  audit: z
    .strictObject({
      to: z
        .union([z.string().transform((text) => [text]), z.array(z.string())])
        .pipe(z.array(z.string().min(1)).min(1))
        .default(["stdout"])
        .describe("where it goes: stdout, otlp, kafka, the path of a file, or several of them; or none"),
      require: z
        .enum(["all", "any"])
        .default("all")
        .describe("of several destinations: which must have a record before it counts as durable"),
      mode: z
        .enum(["strict", "batch", "drop"])
        .default("batch")
        .describe(
          "while the trail cannot be written: strict (an answer waits for its durable record), batch (at most 256 answers are ahead of theirs), drop (lost records are counted)",
        ),
      maxSize: size("100MiB").describe("a file that would grow past this is closed and a new one begun"),
      maxAge: longDuration("never", "24h").describe("a file is closed after this time, or never"),
      maxFiles: z.int().min(0).max(10_000).default(10).describe("closed files that are kept"),
      keep: longDuration("forever", "forever").describe("how long closed files are kept, as far as maxFiles lets them"),
      compress: z.enum(["zstd", "gzip", "none"]).default("zstd").describe("how closed files are compressed"),
      key: z.string().default("").describe("PEM file of an Ed25519 private key that signs the seals of the file"),
      headers: z
        .strictObject({
          include: z
            .array(z.string().regex(/^[a-z0-9_-]+$/, "write names in lower case, without wildcards"))
            .default([])
            .describe("headers whose values are recorded"),
          exclude: z
            .array(z.string().regex(/^[a-z0-9_*-]+$/, "write names in lower case; * is any text"))
            .default([...SECRET_HEADERS])
            .describe("headers that are never recorded, also when included; * is any text"),
        })
        .prefault({}),
      stdout: z.strictObject({ shape: shape() }).prefault({}),
      otlp: z
        .strictObject({
          endpoint: z
            .url({ protocol: /^https?$/ })
            .default("http://127.0.0.1:4318/v1/logs")
            .describe("URL of OTLP/HTTP logs; headers and certificates from the OTEL_EXPORTER_OTLP_* variables"),
          shape: shape(),
        })
        .prefault({}),
      kafka: z
        .strictObject({
          brokers: z
            .array(z.string().regex(/^[^:\s]+:\d{1,5}$/, "write them as HOST:PORT"))
            .min(1)
            .default(["127.0.0.1:9092"])
            .describe("brokers to begin with, as HOST:PORT"),
          topic: z.string().min(1).default("sallyport-audit").describe("topic, which must be there"),
          shape: shape(),
          ca: z
            .string()
            .default("")
            .describe("PEM file of the roots of the brokers' certificates; with it TLS is spoken"),
          certificate: z.string().default("").describe("PEM file of a client certificate"),
          key: z.string().default("").describe("PEM file of its key"),
          mechanism: z
            .enum(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
            .default("SCRAM-SHA-512")
            .describe("how username and password are shown"),
          username: z.string().default("").describe("user of SASL; empty for none"),
          passwordFile: z.string().default("").describe("file that holds the password"),
        })
        .prefault({}),
    })
    .prefault({}),
  bundle: z
    .strictObject({
      key: z
        .string()
        .default("")
        .describe(
          "PEM file of a P-256 private key that signs the policies and leases of gateways that decide themselves",
        ),
    })
    .prefault({}),
  exceptions: z
    .strictObject({
      lead: longDuration("none", "7d").describe(
        "how long before a rule expires the trail and the log tell of it; none: only when it has",
      ),
    })
    .prefault({}),
  overload: z
    .strictObject({
      maxWait: duration("150ms").describe(
        "a Check that has waited longer before it is read is refused, as far as can be told; keep it well under authorizer.timeout",
      ),
      maxInFlight: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(1024)
        .describe("Checks that wait for their records at once; further ones are refused"),
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
  state: z
    .string()
    .default("")
    .describe(
      "directory of this server alone, where the policies in force are kept compiled, so that it answers at once when it starts again",
    ),
  drain: z
    .strictObject({
      wait: duration("3s").describe("after SIGTERM: time for load balancers to notice, during which it still answers"),
      limit: duration("10s").describe("then: time for calls to finish after GOAWAY"),
    })
    .prefault({}),
  traces: z
    .strictObject({
      to: z.enum(["none", "otlp"]).default("none").describe("where spans of Checks go: none or otlp"),
      otlp: z
        .strictObject({
          endpoint: z
            .url({ protocol: /^https?$/ })
            .default("http://127.0.0.1:4318/v1/traces")
            .describe("URL of OTLP/HTTP traces; headers and certificates from the OTEL_EXPORTER_OTLP_* variables"),
        })
        .prefault({}),
      ratio: z
        .number()
        .min(0)
        .max(1)
        .default(0)
        .describe("share of the Checks without a parent that are traced, from 0 to 1; others as their parent says"),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(LOG_LEVELS).default("info").describe(LOG_LEVELS.join(", ")) }).prefault({}),
});

/** A complete configuration, with durations and sizes as written. */
export type Config = z.output<typeof CONFIG_SCHEMA>;

/** Milliseconds of `250ms`, `5s`, `2m`, `1h` or `90d`; null for anything else. */
export function parseDuration(text: string): number | null {
  const [, digits = "", unit = ""] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit];
  return factor === undefined ? null : Number(digits) * factor;
}

/** What a timer can wait at most, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Bytes of `1024`, `64KiB`, `100MiB` or `2GiB`; null for anything else. */
export function parseSize(text: string): number | null {
  const [, digits = "", unit = "none"] = /^(\d{1,12})(KiB|MiB|GiB)?$/.exec(text) ?? [];
  const factor = { none: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }[unit];
  return digits === "" || factor === undefined ? null : Number(digits) * factor;
}

function duration(standard: string) {
  return z
    .string()
    .refine(
      (text) => (parseDuration(text) ?? Number.POSITIVE_INFINITY) <= MAX_TIMER_MS,
      "write it as 250ms, 5s, 2m or 1h",
    )
    .default(standard);
}

/** A time that no timer waits for, or the word for none. */
function longDuration(none: string, standard: string) {
  return z
    .string()
    .refine((text) => text === none || (parseDuration(text) ?? 0) > 0, `write it as 12h, 90d or ${none}`)
    .default(standard);
}

function shape() {
  return z.enum(SHAPES).default("sallyport").describe("lines as they are, or in the shape of OCSF 1.8");
}

function size(standard: string) {
  return z
    .union([z.string(), z.int().min(0).transform(String)])
    .refine((text) => parseSize(text) !== null, "write it as 64MiB, 100KiB or a number of bytes")
    .default(standard);
}
