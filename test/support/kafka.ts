import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../src/cli/demo/ports.ts";
import { accepts, type Child, startChild, waitUntil } from "../../src/cli/demo/process.ts";
import { REPOSITORY } from "../cli/run-cli.ts";

const VERSION = "4.1.0";
const CACHE = join(process.env.SALLYPORT_CACHE_DIR ?? join(REPOSITORY, ".cache"), `kafka-${VERSION}`);

/** A real Kafka broker on loopback, that can be stopped and started again with what it holds. */
export interface KafkaBroker {
  readonly address: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  remove(): Promise<void>;
}

/** Why there can be no broker here, or null. */
export function noKafka(): string | null {
  for (const program of ["java", "mvn"]) {
    if (spawnSync(program, ["-version"]).error !== undefined) return `there is no ${program}`;
  }
  return null;
}

/** Makes a broker of one node (KRaft), from Kafka's own jars. */
export async function createKafkaBroker(): Promise<KafkaBroker> {
  const jars = join(fetchKafka(), "*");
  const directory = mkdtempSync(join(tmpdir(), "sallyport-kafka-"));
  const [port = 0, controller = 0] = await freePorts(2);
  const config = join(directory, "server.properties");
  const properties = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    "controller.listener.names": "CONTROLLER",
    "log.dirs": join(directory, "data"),
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "auto.create.topics.enable": "false",
  };
  writeFileSync(
    config,
    Object.entries(properties)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(""),
  );
  const id = "c2FsbHlwb3J0LWthZmthLQ";
  execFileSync("java", ["-cp", jars, "kafka.tools.StorageTool", "format", "-t", id, "-c", config], {
    stdio: "pipe",
    timeout: 60_000,
  });
  let child: Child | null = null;
  async function stop(): Promise<void> {
    await child?.stop();
    child = null;
  }
  return {
    address: `127.0.0.1:${port}`,
    async start() {
      child = startChild("java", ["-Xmx256m", "-cp", jars, "kafka.Kafka", config]);
      await waitUntil("a Kafka broker", () => accepts(port), 60_000, child);
    },
    stop,
    async remove() {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The directory of Kafka's jars, fetched by Maven once. */
function fetchKafka(): string {
  const jars = join(CACHE, "jars");
  if (existsSync(jars)) return jars;
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, "fetch-"));
  const dependency = (group: string, artifact: string, version: string) =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  writeFileSync(
    join(work, "pom.xml"),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>test</groupId><artifactId>test</artifactId>
<version>1</version><dependencies>${dependency("org.apache.kafka", "kafka_2.13", VERSION)}${dependency("org.slf4j", "slf4j-nop", "1.7.36")}</dependencies></project>`,
  );
  const goal = ["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"];
  execFileSync("mvn", goal, { cwd: work, stdio: "pipe", timeout: 300_000 });
  renameSync(join(work, "jars"), jars);
  rmSync(work, { recursive: true, force: true });
  return jars;
}
