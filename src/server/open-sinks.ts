import { readFile } from "node:fs/promises";
import { createFileSink } from "../audit/file-sink.ts";
import type { RetentionOptions } from "../audit/retention.ts";
import { type AuditShape, createReshape } from "../audit/shape.ts";
import { createSealSigner, type SealSigner } from "../audit/signature.ts";
import { createStdoutSink } from "../audit/stdout-sink.ts";
import type { TrailSink } from "../audit/trail.ts";
import { VERSION } from "./version.ts";

/** A destination of the audit trail. Files are named by paths; times in milliseconds, sizes in bytes. */
export type SinkOptions =
  | ({
      readonly kind: "file";
      readonly path: string;
      readonly maxBytes: number;
      readonly maxAgeMs: number | null;
      /** PEM of an Ed25519 private key; null for unsigned seals. */
      readonly key: string | null;
    } & RetentionOptions)
  | { readonly kind: "stdout"; readonly shape: AuditShape }
  | { readonly kind: "otlp"; readonly endpoint: string; readonly shape: AuditShape }
  | {
      readonly kind: "kafka";
      readonly brokers: readonly string[];
      readonly topic: string;
      readonly shape: AuditShape;
      readonly tls: { readonly ca: string; readonly certificate: string | null; readonly key: string | null } | null;
      readonly sasl: {
        readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
        readonly username: string;
        readonly passwordFile: string;
      } | null;
    };

/** How each destination is opened. The clients of OTLP and Kafka are loaded only where they are used. */
export function trailSinks(sinks: readonly SinkOptions[], now: () => number): readonly TrailSink[] {
  return sinks.map((options): TrailSink => ({ name: options.kind, open: openerOf(options, now) }));
}

function openerOf(options: SinkOptions, now: () => number): TrailSink["open"] {
  switch (options.kind) {
    case "file":
      return async (hooks) => {
        const signer = options.key === null ? null : await readSigner(options.key);
        return createFileSink({ ...options, signer, now }, hooks);
      };
    case "stdout":
      return async (hooks) =>
        createStdoutSink(hooks, options.shape === "sallyport" ? null : createReshape(options.shape, VERSION));
    case "otlp":
      return async (hooks) => {
        const { createOtlpSink } = await import("../audit/otlp-sink.ts");
        const { endpoint, shape } = options;
        return createOtlpSink({ endpoint, reshape: createReshape(shape, VERSION), version: VERSION }, hooks);
      };
    default:
      return async (hooks) => {
        const { createKafkaSink } = await import("../audit/kafka-sink.ts");
        return createKafkaSink(
          { ...(await kafkaOptions(options)), reshape: createReshape(options.shape, VERSION) },
          hooks,
        );
      };
  }
}

async function kafkaOptions({ brokers, topic, tls, sasl }: Extract<SinkOptions, { kind: "kafka" }>) {
  return {
    brokers,
    topic,
    tls:
      tls === null
        ? null
        : {
            ca: await readText(tls.ca),
            cert: tls.certificate === null ? null : await readText(tls.certificate),
            key: tls.key === null ? null : await readText(tls.key),
          },
    sasl:
      sasl === null
        ? null
        : {
            mechanism: sasl.mechanism,
            username: sasl.username,
            password: (await readText(sasl.passwordFile)).replace(/\r?\n$/, ""),
          },
  };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new Error(`${file} of the audit settings cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

async function readSigner(file: string): Promise<SealSigner> {
  try {
    return createSealSigner(await readFile(file, "utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `the audit key ${file} cannot be used (make one with \`openssl genpkey -algorithm ed25519\`): ${why}`,
    );
  }
}
