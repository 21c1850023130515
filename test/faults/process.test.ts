import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { framed } from "../attack/raw-grpc.ts";
import { writePolicyText } from "../bench/policy-text.ts";
import { shapeAt } from "../bench/seats/question.ts";
import { syntheticSet } from "../bench/synthetic-set.ts";
import { CONTRACT, connectClient, httpCheck, told } from "../server/harness.ts";
import { startServing } from "../support/serve.ts";

const BODY = framed(CONTRACT.authorizationClient.Check?.requestSerialize(httpCheck()) as Buffer);
const AT_ONCE = 16;
const closing: (() => unknown)[] = [];
let directory = "";
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  if (directory !== "") rmSync(directory, { recursive: true, force: true });
  directory = "";
});

function own(name: string): string {
  if (directory === "") directory = mkdtempSync(join(tmpdir(), "sallyport-process-"));
  return join(directory, name);
}

/** Whether one Check on a session is answered. */
function check(session: ClientHttp2Session): Promise<boolean> {
  return new Promise((resolve) => {
    const stream = session.request({
      ":method": "POST",
      ":path": "/envoy.service.auth.v3.Authorization/Check",
      "content-type": "application/grpc",
      te: "trailers",
    });
    let isAnswered = false;
    stream.on("data", () => {
      isAnswered = true;
    });
    stream.on("error", () => undefined).on("close", () => resolve(isAnswered));
    stream.end(BODY);
  });
}

it("SIGTERM under load: every Check that was taken is answered and on record", async () => {
  const trail = own("audit.jsonl");
  const serving = await startServing({ "audit-to": trail, "drain-wait": "200ms" });
  closing.push(() => serving.child.stop());
  const session = connect(`http://${serving.address}`);
  session.on("error", () => undefined);
  await once(session, "connect");
  let told = false;
  session.on("goaway", () => {
    told = true;
  });
  const checks: Promise<boolean>[] = [];
  // As many at once as a gateway has under way at 2,000 a second; behind a longer queue connections end with what was not read yet.
  const isOpen = () => !session.closed && !session.destroyed;
  const load = Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (isOpen()) {
        const made = check(session);
        checks.push(made);
        await made;
      }
    }),
  );
  await sleep(500);
  const gone = once(serving.child.process, "exit");
  serving.child.process.kill("SIGTERM");
  const [code] = await gone;
  await load;
  session.destroy();
  const all = await Promise.all(checks);
  const answered = all.filter((isAnswered) => isAnswered).length;
  const recorded = readFileSync(trail, "utf8")
    .split("\n")
    .filter((line) => line.includes('"effect":')).length;
  process.stderr.write(
    `SIGTERM: ${answered} Checks answered, ${recorded} on record, ${all.length - answered} sent too late to be taken\n`,
  );
  expect(code).toBe(0);
  expect(told).toBe(true);
  expect(answered).toBeGreaterThan(100);
  // What was taken was answered. The client was told to open no more; what it opened at that moment is to be sent elsewhere.
  expect(recorded).toBe(answered);
  expect(all.length - answered).toBeLessThanOrEqual(AT_ONCE);
}, 60_000);

it("SIGKILL: started again it serves 10,000 rules", async () => {
  const policies = own("policies");
  await writePolicyText(syntheticSet(shapeAt(10_000)), policies);
  const flags = { policies, "audit-to": own("audit.jsonl") };
  const first = await startServing(flags);
  closing.push(() => first.child.stop());
  const client = connectClient(first.address);
  expect(told(await client.check(httpCheck())).reason).not.toBe("no-policy");
  client.close();
  await first.child.stop("SIGKILL");
  const begun = performance.now();
  const again = await startServing(flags);
  const readyMs = performance.now() - begun;
  closing.push(() => again.child.stop());
  const other = connectClient(again.address);
  expect(told(await other.check(httpCheck())).reason).not.toBe("no-policy");
  other.close();
  process.stderr.write(`SIGKILL: ready ${readyMs.toFixed(0)} ms after the start of the process, with 10,000 rules\n`);
  expect(readyMs).toBeLessThan(60_000);
}, 200_000);

it("file descriptors used up: those who are connected are answered, and everybody is once there are some again", async () => {
  const serving = await startServing({ "audit-to": own("audit.jsonl") }, "/readyz", null, 80);
  closing.push(() => serving.child.stop());
  const client = connectClient(serving.address);
  const ask = async () => told(await client.check(httpCheck())).reason;
  const before = await ask();
  const port = Number(serving.address.split(":").at(-1));
  const sockets: Socket[] = [];
  for (let n = 0; n < 200; n += 1) {
    const socket = connectTcp(port, "127.0.0.1");
    socket.on("error", () => undefined);
    sockets.push(socket);
  }
  await sleep(1_000);
  for (let n = 0; n < 50; n += 1) expect(await ask()).toBe(before);
  for (const socket of sockets) socket.destroy();
  const late = connectClient(serving.address);
  closing.push(() => late.close());
  await expect
    .poll(async () => late.check(httpCheck()).then(told, () => ({ reason: "" })), { timeout: 10_000 })
    .toMatchObject({ reason: before });
  expect(await ask()).toBe(before);
  expect(serving.child.process.exitCode).toBeNull();
  client.close();
  const records = async () =>
    readFileSync(own("audit.jsonl"), "utf8")
      .split("\n")
      .filter((line) => line.includes('"effect":')).length;
  await expect.poll(records, { timeout: 10_000 }).toBeGreaterThanOrEqual(51);
}, 60_000);
