import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, requestHttp1 } from "../../src/cli/demo/client.ts";
import { type Lab, startLab } from "../../src/cli/demo/lab.ts";
import { createLeaseSigner, type LeaseStatement } from "../../src/server/gateway/lease-signer.ts";
import { type Between, createBetween, type PollAnswer, type Tamper, UNTOUCHED } from "../support/between.ts";
import { eventually, everyWorker } from "../support/gateway.ts";

const SHIPPED = new URL("../../policies", import.meta.url).pathname;
const LEASE_MS = 5_000;
const SLACK_MS = 2_500;

function pemOf(key: KeyObject): string {
  const form = key.type === "private" ? { type: "pkcs8" as const } : { type: "spki" as const };
  return key.export({ ...form, format: "pem" }).toString();
}

const next = generateKeyPairSync("ec", { namedCurve: "P-256" });
const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });

/** Everything in order but the signature: the first policies, for this poll, of a later generation, for as long as can be. */
function forge(
  { first }: Between,
  { headers: told }: PollAnswer,
  asked: IncomingHttpHeaders,
): { forged: PollAnswer; statement: LeaseStatement } {
  if (first === null) throw new Error("no policies went by");
  const nonce = String(asked["x-sallyport-nonce"]);
  const generation = Number(told["x-sallyport-generation"]) + 1;
  const { etag = "" } = first.headers;
  const headers = {
    etag,
    "x-sallyport-nonce": nonce,
    "x-sallyport-lease-ms": "60000",
    "x-sallyport-generation": String(generation),
  };
  const statement = { nonce, revision: etag.slice(1, -1), generation, leaseMs: 60_000, recorded: "" };
  return { forged: { status: 200, headers, body: first.body }, statement };
}

function signed({ headers, ...forged }: PollAnswer, signature: string | undefined): PollAnswer {
  return {
    ...forged,
    headers: { ...headers, ...(signature === undefined ? {} : { "x-sallyport-signature": signature }) },
  };
}

describe.each([
  ["with keys configured", [pemOf(next.publicKey), pemOf(own.publicKey)]],
  ["without keys", []],
])("somebody between gateway and server who forges answers, %s", (_name, publicKeys) => {
  const between = createBetween();
  const isGuarded = publicKeys.length > 0;
  let directory: string;
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
    await new Promise((resolve) => setTimeout(resolve, 100));
    return (await questions()) === before;
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "sallyport-signature-"));
    const policies = join(directory, "policies");
    await cp(SHIPPED, policies, { recursive: true });
    const gateway = join(policies, "gateway.yaml");
    const keys = publicKeys.map((pem) => `\n    - ${JSON.stringify(pem)}`).join("");
    if (isGuarded) await writeFile(gateway, `${await readFile(gateway, "utf8")}  filter:\n    publicKeys:${keys}\n`);
    const key = join(directory, "bundle.key");
    await writeFile(key, pemOf(own.privateKey), { mode: 0o600 });
    lab = await startLab({
      policies,
      timeoutMs: 2_000,
      seat: "gateway",
      between: between.start,
      serve: isGuarded ? { "bundle-key": key } : {},
    });
    caller = await lab.workload("payments/checkout");
    expect(await eventually(seated, (done) => done, 15_000)).toBe(true);
  }, 90_000);
  afterAll(async () => {
    await lab.close();
    between.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Revokes, with somebody between; are the revoked policies decided by, or is the server asked? */
  async function revoke(tamper: Tamper): Promise<{ revoked: boolean; decidesItself: boolean }> {
    const file = join(lab.policies, "payments/stripe.yaml");
    const text = await readFile(file, "utf8");
    between.tamper = tamper;
    try {
      await rm(file);
      const revoked = await everywhere(403);
      // What was let go on is decided without a question; what is refused by the filter is too.
      return { revoked, decidesItself: await seated() };
    } finally {
      between.tamper = UNTOUCHED;
      await writeFile(file, text);
    }
  }

  if (!isGuarded) {
    it("brings revoked policies back: that is what the signature is for", async () => {
      const seen = await revoke((answer, asked) => forge(between, answer, asked).forged);
      expect(seen).toEqual({ revoked: false, decidesItself: true });
    }, 60_000);
    return;
  }

  const signStranger = createLeaseSigner(pemOf(stranger.privateKey));
  const signOwn = createLeaseSigner(pemOf(createPrivateKey(pemOf(own.privateKey))));
  const CASES: readonly (readonly [string, Tamper])[] = [
    ["no signature", (answer, asked) => forge(between, answer, asked).forged],
    [
      "the signature of another key",
      (answer, asked) => {
        const { forged, statement } = forge(between, answer, asked);
        return signed(forged, signStranger(statement));
      },
    ],
    [
      "a signature for another poll",
      (answer, asked) => {
        const { forged, statement } = forge(between, answer, asked);
        return signed(forged, signOwn({ ...statement, nonce: "0".repeat(32) }));
      },
    ],
    ["a signature without end", (answer, asked) => signed(forge(between, answer, asked).forged, "30".repeat(2_000))],
    [
      "the true answer with a longer lease",
      (answer) => ({ ...answer, headers: { ...answer.headers, "x-sallyport-lease-ms": "60000" } }),
    ],
  ];

  it.each(CASES)(
    "%s: is not taken, and the server is asked",
    async (_case, tamper) => {
      expect(await revoke(tamper)).toEqual({ revoked: true, decidesItself: false });
      expect(await everywhere(200)).toBe(true);
      expect(await eventually(seated, (done) => done, 15_000)).toBe(true);
    },
    60_000,
  );

  it("is only as strong as the key: who has it may say anything", async () => {
    const seen = await revoke((answer, asked) => {
      const { forged, statement } = forge(between, answer, asked);
      return signed(forged, signOwn(statement));
    });
    expect(seen).toEqual({ revoked: false, decidesItself: true });
  }, 60_000);
});
