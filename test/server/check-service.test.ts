import { connect } from "node:http2";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import type { CheckInput, Decision } from "../../src/pdp/decision.ts";
import type { DecisionEngine } from "../../src/pdp/pdp.ts";
import {
  type Answering,
  type CheckClient,
  connectClient,
  decision,
  httpCheck,
  startAnswering,
  told,
  unixAddress,
} from "./harness.ts";

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

function engineOf(decide: (input: CheckInput, nowMs: number) => Decision, revision = "sha256:one"): DecisionEngine {
  return { revision, headers: ["x-team"], decide };
}

async function answering(engine: DecisionEngine | null): Promise<Answering & { readonly client: CheckClient }> {
  const server = await startAnswering(engine);
  const client = connectClient(server.address);
  opened.push(server, client);
  return { ...server, client };
}

describe("answers over gRPC", () => {
  test("an allow adds nothing to the request and tells Envoy's access log who, what and why", async () => {
    const { client, records } = await answering(engineOf(() => decision()));
    const answer = await client.check(httpCheck({ path: "/v1/charges?card=4242" }));
    expect(answer.status.code ?? 0).toBe(0);
    expect(answer.ok_response).toEqual({});
    expect(answer.denied_response).toBeUndefined();
    const { decision_id, ...rest } = told(answer);
    expect(decision_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(rest).toEqual({
      effect: "allow",
      reason: "allowed-by-rule",
      rules: "payments/stripe/charge",
      revision: "sha256:one",
      shadow: "allow",
      subject: "spiffe://cluster.local/ns/payments/sa/checkout",
    });
    const [record] = records();
    expect(record).toMatchObject({
      id: decision_id,
      effect: "allow",
      cacheHit: false,
      target: { path: "/v1/charges" },
    });
    expect(record?.gateway).toBe("spiffe://cluster.local/ns/istio-egress/sa/egress");
  });

  test("a deny is a 403 whose body says why and whom to ask, and nothing of the request's path or query", async () => {
    const denied = decision({ effect: "deny", reason: "denied-by-rule", shadow: "deny" });
    const { client } = await answering(engineOf(() => denied));
    const answer = await client.check(httpCheck({ path: "/secret-path?token=hunter2" }));
    expect(answer.status).toEqual({ code: 7, message: "denied-by-rule" });
    expect(answer.ok_response).toBeUndefined();
    const http = answer.denied_response;
    expect(http?.status.code).toBe(403);
    const headers = Object.fromEntries(http?.headers.map(({ header }) => [header.key, header.value]) ?? []);
    const { decision_id } = told(answer);
    expect(headers).toEqual({ "content-type": "application/json", "x-sallyport-decision-id": decision_id });
    expect(http?.body.endsWith("}\n")).toBe(true);
    expect(JSON.parse(http?.body ?? "")).toMatchObject({
      decision: decision_id,
      effect: "deny",
      reason: "denied-by-rule",
      policy: "payments/stripe",
      rule: "payments/stripe/charge",
      owner: "payments-team@example.com",
    });
    expect(http?.body).not.toMatch(/hunter2|secret-path/);
  });

  test("every answer has a decision id of its own, also from the cache, in header, body, metadata and record alike", async () => {
    const denied = decision({ effect: "deny", reason: "no-matching-rule", rules: [], note: null });
    const { client, records } = await answering(engineOf(() => denied));
    const answers = [];
    for (let n = 0; n < 5; n += 1) answers.push(await client.check(httpCheck()));
    const ids = answers.map((answer) => told(answer).decision_id);
    expect(new Set(ids).size).toBe(5);
    expect(records().map(({ id }) => id)).toEqual(ids);
    expect(records().map(({ cacheHit }) => cacheHit)).toEqual([false, true, true, true, true]);
    for (const answer of answers) {
      const id = told(answer).decision_id;
      expect(JSON.parse(answer.denied_response?.body ?? "").decision).toBe(id);
      expect(answer.denied_response?.headers.at(-1)?.header.value).toBe(id);
    }
  });

  test("without policies the answer is an error of the authorizer that still denies", async () => {
    const { client, records } = await answering(null);
    const answer = await client.check(httpCheck());
    expect(answer.status).toEqual({ code: 14, message: "no-policy" });
    expect(answer.error_response?.status.code).toBe(503);
    expect(answer.denied_response).toBeUndefined();
    expect(answer.ok_response).toBeUndefined();
    expect(records()[0]).toMatchObject({ effect: "deny", reason: "no-policy", revision: null });
  });

  test("whatever the engine throws is a recorded deny, and its text reaches nobody", async () => {
    const { client, records, thrown } = await answering(
      engineOf(() => {
        throw new Error("boom at 0x1234");
      }),
    );
    const answer = await client.check(httpCheck());
    expect(answer.status).toEqual({ code: 7, message: "internal-error" });
    expect(JSON.stringify(answer)).not.toContain("boom");
    expect(records()[0]).toMatchObject({ effect: "deny", reason: "internal-error", revision: "sha256:one" });
    expect(thrown).toHaveLength(1);
  });

  test("an engine that throws after its first answer still gives cache hits, and nothing else", async () => {
    let asked = 0;
    const engine = engineOf(() => {
      asked += 1;
      if (asked > 1) throw new Error("dead");
      return decision({ dependsOn: { method: true, path: true, contentType: false, headers: [] } });
    });
    const { client } = await answering(engine);
    const reasons = [];
    for (const path of ["/a", "/a", "/b", "/a?q=1"]) reasons.push(told(await client.check(httpCheck({ path }))).reason);
    expect(reasons).toEqual(["allowed-by-rule", "allowed-by-rule", "internal-error", "allowed-by-rule"]);
    expect(asked).toBe(2);
  });

  test("the same answers come over a Unix socket, and a stale socket file is no obstacle", async () => {
    const address = unixAddress();
    const first = await startAnswering(
      engineOf(() => decision()),
      { address },
    );
    const client = connectClient(first.address);
    expect(told(await client.check(httpCheck())).reason).toBe("allowed-by-rule");
    await expect(startAnswering(null, { address })).rejects.toThrow(/in use/);
    client.close();
    await first.close();
    address.remove();
  });
});

describe("hostile messages", () => {
  test("more than 256 KiB is refused unread and the connection lives on", async () => {
    const { client } = await answering(engineOf(() => decision()));
    const big = httpCheck({ headers: [["x-big", "a".repeat(300 * 1024)]] });
    await expect(client.check(big)).rejects.toMatchObject({ code: 8 });
    expect(told(await client.check(httpCheck())).effect).toBe("allow");
  });

  test("a gzip bomb is refused for what it would become", async () => {
    const { address, client, records } = await answering(engineOf(() => decision()));
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(256 * 1024);
    expect(await sendFrame(address, bomb, { "grpc-encoding": "gzip" })).toBe("8");
    expect(records()).toHaveLength(0);
    expect(told(await client.check(httpCheck())).effect).toBe("allow");
  });

  test("bytes that are no message are denied and recorded, though the engine would allow anything", async () => {
    const { client, records, thrown } = await answering(engineOf(() => decision()));
    for (const bytes of [[0x0a, 0xff, 0xff, 0xff, 0x7f], [0x0a, 2, 0x22, 9], [0x0a, 1, 0x22], [0x0f]]) {
      expect(told(await client.send(Buffer.from(bytes)))).toMatchObject({ effect: "deny", reason: "internal-error" });
    }
    expect(records().map(({ effect, reason }) => `${effect} ${reason}`)).toEqual(Array(4).fill("deny internal-error"));
    expect(thrown).toHaveLength(4);
  });

  test("an empty CheckRequest is asked as an unknown caller for no host", async () => {
    const asked: CheckInput[] = [];
    const { client } = await answering(
      engineOf((input) => {
        asked.push(input);
        return decision({ effect: "deny", reason: "no-identity", cacheable: false });
      }),
    );
    expect(told(await client.send(Buffer.alloc(0))).effect).toBe("deny");
    expect(asked).toEqual([{ kind: "tls", principal: "", host: "", port: null, method: "", path: "", headers: [] }]);
  });
});

describe("listeners", () => {
  test("plaintext on an address that others can reach is refused", async () => {
    const address = { kind: "tcp", host: "0.0.0.0", port: 0 } as const;
    await expect(startAnswering(null, { address })).rejects.toThrow(/needs certificates/);
  });
});

/** Sends one compressed frame by hand, because the client library compresses nothing; gives the gRPC status. */
async function sendFrame(address: string, body: Buffer, headers: Record<string, string>): Promise<string> {
  const session = connect(`http://${address}`);
  try {
    const stream = session.request({
      ":method": "POST",
      ":path": "/envoy.service.auth.v3.Authorization/Check",
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    const prefix = Buffer.alloc(5);
    prefix.writeUInt8(1, 0);
    prefix.writeUInt32BE(body.length, 1);
    stream.end(Buffer.concat([prefix, body]));
    return await new Promise<string>((resolve, reject) => {
      const read = (received: Record<string, unknown>) => {
        if (received["grpc-status"] !== undefined) resolve(String(received["grpc-status"]));
      };
      stream.on("response", read).on("trailers", read).on("error", reject).resume();
    });
  } finally {
    session.destroy();
  }
}
