import { Admin, Consumer, MessagesStreamModes, stringDeserializers } from "@platformatic/kafka";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKafkaSink } from "../../src/audit/kafka-sink.ts";
import { createReshape } from "../../src/audit/shape.ts";
import { waitUntil } from "../../src/cli/demo/process.ts";
import { connectClient, httpCheck } from "../server/harness.ts";
import { createKafkaBroker, type KafkaBroker, noKafka } from "../support/kafka.ts";
import { startServing } from "../support/serve.ts";
import { HOOKS } from "./fixtures.ts";
import { recordOf } from "./records.ts";

const missing = noKafka();
if (missing !== null) process.stdout.write(`no Kafka broker: ${missing}\n`);

const TIME = Date.parse("2026-11-23T12:00:00Z");

describe.skipIf(missing !== null)("a real Kafka broker", () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await createKafkaBroker();
    await broker.start();
  }, 420_000);
  afterAll(() => broker.remove(), 30_000);

  async function createTopic(name: string): Promise<void> {
    const admin = new Admin({ clientId: "test", bootstrapBrokers: [broker.address], retries: 10 });
    await admin.createTopics({ topics: [name], partitions: 3, replicas: 1 });
    await admin.close();
  }

  /** All values of a topic, each partition in order. */
  async function valuesOf(topic: string, atLeast: number): Promise<string[]> {
    const consumer = new Consumer({
      groupId: `test-${topic}-${Math.random()}`,
      clientId: "test",
      bootstrapBrokers: [broker.address],
      deserializers: stringDeserializers,
    });
    const values: string[] = [];
    const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST, autocommit: false });
    stream.on("data", ({ value }) => values.push(value));
    await waitUntil("messages", () => values.length >= atLeast, 20_000);
    await stream.close();
    await consumer.close(true);
    return values;
  }

  it("has each line as a message, in order", async () => {
    await createTopic("lines");
    const options = { brokers: [broker.address], topic: "lines", tls: null, sasl: null };
    const sink = createKafkaSink({ ...options, reshape: createReshape("sallyport", "1") }, HOOKS);
    const lines = Array.from({ length: 1_000 }, (_, n) => recordOf({ timeMs: TIME, workload: `w${n}` }));
    for (const line of lines) sink.write(line);
    await sink.flush();
    expect(sink.state).toMatchObject({ taken: 1_000, written: 1_000, failed: 0, failure: null });
    await sink.close();
    expect(await valuesOf("lines", 1_000)).toEqual(lines);
  }, 60_000);

  it("a server allows nothing while the broker is gone, and goes on with a gap when it is back", async () => {
    await createTopic("decisions");
    const server = await startServing({
      "audit-to": "kafka",
      "audit-mode": "strict",
      "audit-kafka-brokers": broker.address,
      "audit-kafka-topic": "decisions",
      "log-level": "silent",
    });
    const client = connectClient(server.address);
    const allowed = async () => ((await client.check(httpCheck())).status?.code ?? 0) === 0;
    try {
      expect(await allowed()).toBe(true);
      await broker.stop();
      expect(await allowed()).toBe(false);
      expect(await server.ready()).toBe(false);
      await broker.start();
      await waitUntil("recovery", () => server.ready(), 60_000, server.child);
      await waitUntil("an allow", allowed, 30_000, server.child);
    } finally {
      client.close();
      await server.child.stop();
    }
    const values = (await valuesOf("decisions", 5)).map((value) => JSON.parse(value));
    const events = values.flatMap(({ event }) => (event === undefined ? [] : [event]));
    expect(events).toEqual(expect.arrayContaining(["started", "policies-loaded", "gap", "sink-recovered", "stopped"]));
    // What is neither there nor told as lost does not exist.
    const numbers = values.flatMap(({ seq }) => (seq === undefined ? [] : [seq]));
    const lost = values.reduce((sum, { event, lost: count }) => sum + (event === "gap" ? count : 0), 0);
    expect(new Set(numbers).size + lost).toBe(Math.max(...numbers));
  }, 180_000);
});
