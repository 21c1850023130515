import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, requestHttp1 } from "../../src/cli/demo/client.ts";
import { type Lab, startLab } from "../../src/cli/demo/lab.ts";
import { createBetween, type Tamper, UNTOUCHED } from "../support/between.ts";
import { eventually, everyWorker } from "../support/gateway.ts";

const SHIPPED = new URL("../../policies", import.meta.url).pathname;
const LEASE_MS = 5_000;
const SLACK_MS = 2_500;

const between = createBetween();

const CASES: readonly (readonly [string, Tamper])[] = [
  ["policies with one byte changed", (answer) => ({ ...answer, body: flipped(answer.body) })],
  ["policies cut short", (answer) => ({ ...answer, body: answer.body.subarray(0, answer.body.length >> 1) })],
  ["no policies at all under their name", (answer) => ({ ...answer, body: Buffer.alloc(0) })],
  [
    "policies under another name",
    (answer) => ({ ...answer, headers: { ...answer.headers, etag: `"sha256:${"0".repeat(64)}"` } }),
  ],
  [
    "an answer to somebody else's poll",
    (answer) => ({ ...answer, headers: { ...answer.headers, "x-sallyport-nonce": "0".repeat(32) } }),
  ],
  ["an answer without a lease", ({ headers: { etag = "" }, ...answer }) => ({ ...answer, headers: { etag } })],
  ["an answer that is not one", () => ({ status: 200, headers: {}, body: Buffer.from("<html>") })],
  ["a failure", () => ({ status: 500, headers: {}, body: Buffer.from("no") })],
  ["no answer", () => null],
  ["the first answer of all again", () => between.first],
  [
    "the first policies again, for this very poll, by an older server",
    (_answer, { "x-sallyport-nonce": nonce }) =>
      between.first === null
        ? null
        : { ...between.first, headers: { ...between.first.headers, "x-sallyport-nonce": String(nonce) } },
  ],
  [
    '"unchanged" for policies that are the server\'s no longer',
    ({ headers }) => ({ status: 304, headers, body: Buffer.alloc(0) }),
  ],
];

function flipped(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  const at = copy.length >> 1;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

describe("somebody between gateway and server", () => {
  let lab: Lab;
  let caller: Caller;
  const status = async () =>
    (await requestHttp1(caller, lab.port("http", 80), "GET /v1/charges", ["host: api.stripe.com"])).status;
  const everywhere = (wanted: number) => everyWorker(status, wanted, LEASE_MS + SLACK_MS);
  const questions = async () => (await lab.records()).filter(({ seat }) => seat === "server").length;
  const seated = async (): Promise<boolean> => {
    const before = await questions();
    for (let n = 0; n < 12; n += 1) await status();
    // Records are written in batches.
    await sleep(100);
    return (await questions()) === before;
  };

  beforeAll(async () => {
    lab = await startLab({ policies: SHIPPED, timeoutMs: 2_000, seat: "gateway", between: between.start });
    caller = await lab.workload("payments/checkout");
    expect(await eventually(seated, (done) => done, 15_000)).toBe(true);
    // A generation on, so that the first answer is of an older one.
    await edit();
    expect(await eventually(seated, (done) => done, 15_000)).toBe(true);
  }, 90_000);
  afterAll(async () => {
    await lab.close();
    between.close();
  });

  /** Another revision that decides the same. */
  let edits = 0;
  async function edit(): Promise<void> {
    edits += 1;
    const text = await readFile(join(lab.policies, "payments/stripe.yaml"), "utf8");
    await writeFile(
      join(lab.policies, `payments/again-${edits}.yaml`),
      text.replaceAll(/^( {2}name: )(.*)$/gm, `$1$2-${edits}`).replaceAll(/api\.stripe\.com/g, "api.stripe.com"),
    );
  }

  it.each(CASES)(
    "%s: cannot keep a revocation away for longer than a lease, and takes the seat only",
    async (_name, change) => {
      const files = [
        "payments/stripe.yaml",
        ...Array.from({ length: edits }, (_, n) => `payments/again-${n + 1}.yaml`),
      ];
      const kept = await Promise.all(files.map((file) => readFile(join(lab.policies, file), "utf8")));
      between.tamper = change;
      try {
        await Promise.all(files.map((file) => rm(join(lab.policies, file))));
        // The gateway falls back to asking, and the server knows.
        expect(await everywhere(403)).toBe(true);
        expect(await eventually(seated, (done) => !done, LEASE_MS + SLACK_MS)).toBe(false);
      } finally {
        between.tamper = UNTOUCHED;
        await Promise.all(files.map((file, n) => writeFile(join(lab.policies, file), kept[n] ?? "")));
      }
      expect(await everywhere(200)).toBe(true);
      expect(await eventually(seated, (done) => done, 15_000)).toBe(true);
    },
    60_000,
  );

  it("a server that loaded the same policies earlier, as another replica may have, renews the lease", async () => {
    // Every worker holds these policies by then.
    await sleep(2_500);
    between.tamper = (answer) => ({ ...answer, headers: { ...answer.headers, "x-sallyport-generation": "1" } });
    try {
      await sleep(LEASE_MS + SLACK_MS);
      expect(await seated()).toBe(true);
    } finally {
      between.tamper = UNTOUCHED;
    }
  }, 30_000);
});
