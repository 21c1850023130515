import { execFile } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createFileSink } from "../../src/audit/file-sink.ts";
import { renderDecided, renderRecord } from "../../src/audit/record.ts";
import { trailFiles } from "../../src/audit/segment-names.ts";
import { createIdSource } from "../../src/server/decision-id.ts";
import { BUILT_MAIN } from "./built.ts";

const run = promisify(execFile);

/** Seconds of one question. */
export interface AskingTime {
  readonly name: string;
  readonly seconds: number;
}

export interface AskingFigures {
  readonly records: number;
  readonly bytes: number;
  readonly times: readonly AskingTime[];
  /** The question of `top-denied` with jq, sort and uniq; null without jq. */
  readonly jqSeconds: number | null;
}

const START = Date.parse("2026-11-01T00:00:00Z");
const QUESTIONS: readonly (readonly [string, readonly string[]])[] = [
  ["audit query top-denied", ["query", "top-denied"]],
  ["audit query by-workload", ["query", "by-workload"]],
  ["audit query new-destinations", ["query", "new-destinations", "--since", "2026-11-01T12:00:00Z"]],
  ["audit query latency", ["query", "latency"]],
  ["audit verify", ["verify"]],
];

/** Writes a trail of so many records and asks it. */
export async function measureAsking(records: number): Promise<AskingFigures> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-bench-"));
  const path = join(directory, "audit.jsonl");
  try {
    await writeTrail(path, records);
    const files = (await trailFiles(path)).map((each) => each.path);
    const sizes = await Promise.all(files.map((file) => stat(file)));
    const times: AskingTime[] = [];
    for (const [name, [command = "", ...rest]] of QUESTIONS) {
      times.push({ name, seconds: await timed(process.execPath, [BUILT_MAIN, "audit", command, path, ...rest]) });
    }
    const pipeline = `cat "$@" | jq -r 'select(.effect=="deny")|.subject.spiffeId+" "+.target.host+" "+.reason' | sort | uniq -c | sort -rn | head -20`;
    const jqSeconds = await timed("sh", ["-c", pipeline, "sh", ...files]).catch(() => null);
    return { records, bytes: sizes.reduce((sum, { size }) => sum + size, 0), times, jqSeconds };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function timed(program: string, args: readonly string[]): Promise<number> {
  const begun = performance.now();
  await run(program, args, { maxBuffer: 1 << 26, timeout: 600_000 });
  return (performance.now() - begun) / 1000;
}

/** 400 workloads, 1,000 hosts, one decision in seventeen a denial. */
async function writeTrail(path: string, records: number): Promise<void> {
  const decided = Array.from({ length: 5_000 }, (_, n) => {
    const effect = n % 17 === 0 ? "deny" : "allow";
    const namespace = `team-${n % 50}`;
    const serviceAccount = `app-${n % 400}`;
    return renderDecided({
      revision: `sha256:${"ab".repeat(32)}`,
      seat: "server",
      subject: { spiffeId: `spiffe://cluster.local/ns/${namespace}/sa/${serviceAccount}`, namespace, serviceAccount },
      target: { host: `api-${n % 1_000}.example.com`, port: 443, protocol: "http" },
      effect,
      shadow: n % 13 === 0 ? "deny" : effect,
      reason: effect === "deny" ? "no-matching-rule" : "allowed-by-rule",
      rules: effect === "deny" ? [] : [`${namespace}/policy/rule-${n % 300}`],
      shadowRules: [],
      owner: null,
      ticket: null,
    });
  });
  const nextId = createIdSource();
  const hooks = { gap: () => "", changed() {}, warn() {} };
  const rotation = { maxBytes: 256 * 1024 * 1024, maxAgeMs: null, maxFiles: 10_000, keepMs: null, packing: null };
  const sink = await createFileSink({ path, signer: null, now: Date.now, ...rotation }, hooks);
  for (let n = 0; n < records; n += 1) {
    const timeMs = START + n * 10;
    const part = decided[(n * 7_919) % decided.length];
    if (part === undefined) continue;
    const line = renderRecord(n + 1, part, {
      timeMs,
      id: nextId(timeMs),
      cacheHit: n % 10 !== 0,
      method: "GET",
      path: `/v1/orders/${n % 1_000}/items`,
      requestId: `7f3c-${n}`,
      traceId: null,
      gateway: "spiffe://cluster.local/ns/istio-egress/sa/egress",
      latencyUs: 20 + (n % 300),
      headers: null,
      seated: null,
    });
    sink.write(line);
    if (n % 2_000 === 0) await sink.flush();
  }
  await sink.close();
}
