import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { askedRequest } from "../../src/analyze/request.ts";
import { checkMessage } from "../../src/cli/check-message.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { type RequestMetadata, readCheck } from "../../src/server/check-request.ts";
import type { ReceivedCheck } from "../../src/server/decode-check-request.ts";
import { createPrincipalReader } from "../../src/server/principal.ts";
import { readPolicyDirectory } from "../../src/server/read-policies.ts";
import type { CheckRequestMessage, CheckResponseMessage } from "../../src/server/wire.ts";
import { decide } from "../oracle/decide.ts";
import { type PlacedDocument, readWorld } from "../oracle/documents.ts";
import { CONTRACT, told } from "../server/harness.ts";
import { type Serving, startServing } from "../support/serve.ts";
import { generalCheck } from "./general-check.ts";
import { type Draw, drawFrom, mutate } from "./mutate.ts";
import { createRawClient, framed, type RawAnswer, type RawCall } from "./raw-grpc.ts";

/** So many always; `FUZZ_SECONDS` goes on for that long, from a seed that is printed; `FUZZ_SEED` repeats one. */
const ALWAYS = 100_000;
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 0);
const SEED = Number(process.env.FUZZ_SEED ?? (SECONDS > 0 ? Date.now() % 2 ** 31 : 20_261_124));
const AT_ONCE = 256;
const LATE_MS = 2_000;
/** What the server decides without the engine. */
const OWN_REASONS = ["internal-error", "no-policy", "audit-failed"];

const SHIPPED = new URL("../../policies", import.meta.url).pathname;
const CHECK = CONTRACT.authorizationClient.Check;
const NO_METADATA: RequestMetadata = { get: () => [] };

let serving: Serving;
beforeAll(async () => {
  serving = await startServing({ policies: SHIPPED, "audit-to": "none", "log-level": "silent" });
}, 60_000);
afterAll(() => serving?.child.stop());

/** What Envoy asks for the cases of the shipped tests. */
async function shippedChecks(): Promise<readonly Buffer[]> {
  const { tests } = loadPolicySet(await readPolicyDirectory(SHIPPED), createCanonicaliser(readEngineModule()));
  const inputs = tests.flatMap(({ cases }) => cases.map((each) => askedRequest(each, "cluster.local")));
  const asked = inputs.flatMap((each) => (each.ok ? [each.value.input] : []));
  return asked.map((input) => CHECK?.requestSerialize(withAddresses(checkMessage(input))) as Buffer);
}

/** Attributes that Envoy sends and nobody reads here. */
function withAddresses(message: CheckRequestMessage): CheckRequestMessage {
  return {
    ...message,
    attributes: {
      ...message.attributes,
      destination: { service: "", principal: "spiffe://cluster.local/ns/istio-egress/sa/egress" },
    },
  };
}

function world() {
  const files = readdirSync(SHIPPED, { recursive: true, withFileTypes: true }).filter(({ name }) =>
    /(?<!\.test)\.yaml$/.test(name),
  );
  const placed = files.flatMap(({ parentPath, name }): PlacedDocument[] => {
    const [place = ""] = relative(SHIPPED, parentPath).split("/");
    return parseAllDocuments(readFileSync(join(parentPath, name), "utf8")).map((each) => ({ place, doc: each.toJS() }));
  });
  return readWorld(placed, []);
}

/** One call in twenty lies to gRPC, not to us. */
function rawCall(message: Buffer, draw: Draw): RawCall {
  if (draw(20) > 0) return { body: framed(message) };
  switch (draw(8)) {
    case 0:
      return { body: framed(gzipSync(message), 1), headers: { "grpc-encoding": "gzip" } };
    case 1:
      return { body: framed(BOMB, 1), headers: { "grpc-encoding": "gzip" } };
    case 2:
      return { body: framed(message, 1) };
    case 3:
      return { body: framed(message, 1), headers: { "grpc-encoding": "gzip" } };
    case 4:
      return { body: framed(message, 0, message.length + 1 + draw(1 << 30)) };
    case 5:
      return { body: framed(message, 0, draw(message.length + 1)) };
    case 6:
      return { body: Buffer.concat([framed(message), framed(message)]) };
    default:
      return { body: message, headers: { "grpc-timeout": ["1n", "99999999H", "x", "-1S"][draw(4)] ?? "" } };
  }
}

/** 64 MiB of zeros. */
const BOMB = gzipSync(Buffer.alloc(64 << 20));

/** Whether the oracle allows what the general decoder reads in these bytes: a second reader and a second decider. */
function isAllowed(known: ReturnType<typeof world>, message: Buffer, nowMs: number): boolean {
  const { input } = readCheck(generalCheck(message) as unknown as ReceivedCheck, NO_METADATA, createPrincipalReader());
  return decide(known, input, nowMs).effect === "allow";
}

it(
  "mutated Checks: no crash, no late answer, and nothing allowed that may not be decided",
  async () => {
    const originals = await shippedChecks();
    expect(originals.length).toBeGreaterThan(30);
    const known = world();
    const draw = drawFrom(SEED);
    const client = createRawClient(serving.address, 20_000);
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    const before = await memory();
    const statuses: Record<string, number> = {};
    const reasons: Record<string, number> = {};
    const problems: string[] = [];
    let sent = 0;
    let slowest = 0;

    function judge(call: RawCall, message: Buffer, { grpcStatus, message: answer, afterMs }: RawAnswer): void {
      statuses[grpcStatus ?? "none"] = (statuses[grpcStatus ?? "none"] ?? 0) + 1;
      slowest = Math.max(slowest, afterMs);
      const problem = (what: string) =>
        problems.push(
          `${what}: ${JSON.stringify(call.headers ?? {})} ${call.body.subarray(0, 4_000).toString("base64")}`,
        );
      // A machine that lets this process wait lets the server wait as long.
      if (afterMs > LATE_MS + (4 * delay.max) / 1e6) problem(`answered after ${afterMs.toFixed(0)} ms`);
      if (grpcStatus !== 0 || answer === null) return;
      const response = CHECK?.responseDeserialize(answer) as CheckResponseMessage;
      const { reason = "none" } = told(response);
      reasons[reason] = (reasons[reason] ?? 0) + 1;
      if ((response.status?.code ?? 0) !== 0) return;
      // A call that lies about its message is answered for what gRPC made of it: only whole ones are judged, others must not be allowed.
      const whole =
        call.body.length === message.length + 5 && call.body.readUInt32BE(1) === message.length ? message : null;
      const zipped = call.body[0] === 1 && call.headers?.["grpc-encoding"] === "gzip" ? message : null;
      const judged = whole ?? zipped ?? (call.body.length === 2 * (message.length + 5) ? message : null);
      try {
        if (judged === null || !isAllowed(known, judged, Date.now())) problem(`allowed: ${reason}`);
      } catch (error) {
        problem(`allowed (${JSON.stringify(told(response))}) what is no CheckRequest (${error})`);
      }
    }

    async function sender(end: number): Promise<void> {
      while (problems.length === 0 && (sent < ALWAYS || Date.now() < end)) {
        sent += 1;
        const original = originals[draw(originals.length)] as Buffer;
        const message = mutate(original, originals, draw);
        const call = rawCall(message, draw);
        judge(call, message, await client.call(call));
      }
    }
    const end = Date.now() + SECONDS * 1_000;
    await Promise.all(Array.from({ length: AT_ONCE }, () => sender(end)));

    const decided = Object.values(reasons).reduce((sum, count) => sum + count, 0);
    const own = OWN_REASONS.reduce((sum, reason) => sum + (reasons[reason] ?? 0), 0);
    const reached = (decided - own) / sent;
    process.stderr.write(
      `mutated Checks: ${sent} of seed ${SEED}, ${(reached * 100).toFixed(0)} % decided by the engine, slowest answer ${slowest.toFixed(0)} ms; ` +
        `gRPC statuses ${JSON.stringify(statuses)}; reasons ${JSON.stringify(reasons)}\n`,
    );
    expect(problems.slice(0, 3)).toEqual([]);
    expect(reached).toBeGreaterThan(0.3);
    expect(reasons["allowed-by-rule"]).toBeGreaterThan(1_000);
    // The same process is there, and decides as before.
    const [first] = originals;
    expect((await client.call({ body: framed(first as Buffer) })).grpcStatus).toBe(0);
    expect(serving.child.process.exitCode).toBeNull();
    await sleep(1_000);
    const after = await memory();
    expect(after - before).toBeLessThan(400 * 1024 * 1024);
    delay.disable();
    client.close();
  },
  600_000 + SECONDS * 1_000,
);

/** Bytes that the server's process holds. */
async function memory(): Promise<number> {
  const status = await readFileSync(`/proc/${serving.child.process.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
