import { randomUUID } from "node:crypto";
import { ProduceAcks, Producer, type ProducerOptions, stringSerializers } from "@platformatic/kafka";
import { createBatchSink } from "./batch.ts";
import { linesOf, type Reshape } from "./shape.ts";
import type { AuditSink, AuditSinkHooks } from "./sink.ts";

/** Where and how lines go to Kafka. */
export interface KafkaSinkOptions {
  /** `HOST:PORT`. */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly tls: { readonly ca: string; readonly cert: string | null; readonly key: string | null } | null;
  readonly sasl: {
    readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
    readonly username: string;
    readonly password: string;
  } | null;
  readonly reshape: Reshape;
}

const RETRIES = 3;
const RETRY_MS = 500;
const TIMEOUT_MS = 5_000;

/**
 * A sink that sends each line as a message, acknowledged by all replicas in sync, without duplicates from retries. All lines of
 * one run of a server have the same key, so that they stay in one partition and in order.
 */
export function createKafkaSink(options: KafkaSinkOptions, hooks: AuditSinkHooks): AuditSink {
  const { topic, reshape } = options;
  const key = randomUUID();
  const producer = new Producer(producerOptions(options));
  return createBatchSink(
    {
      async append(bytes) {
        const messages = linesOf(bytes).map((line) => ({ topic, key, value: reshape(line) }));
        await producer.send({ messages, acks: ProduceAcks.ALL, idempotent: true });
      },
      async close() {
        await producer.close();
      },
    },
    hooks,
  );
}

function producerOptions({ brokers, tls, sasl }: KafkaSinkOptions): ProducerOptions<string, string, string, string> {
  return {
    clientId: "sallyport",
    bootstrapBrokers: [...brokers],
    serializers: stringSerializers,
    retries: RETRIES,
    retryDelay: RETRY_MS,
    timeout: TIMEOUT_MS,
    connectTimeout: TIMEOUT_MS,
    ...(tls === null ? {} : { tls: { ca: tls.ca, ...(tls.cert === null ? {} : { cert: tls.cert, key: tls.key }) } }),
    ...(sasl === null ? {} : { sasl }),
  } as ProducerOptions<string, string, string, string>;
}
