import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { join } from "node:path";
import { expect, it } from "vitest";
import { AUTHORIZER_LIMITS } from "../../src/generate/authorizer-limits.ts";
import { envoyStats } from "../support/envoy-stats.ts";
import { eventually, useGateway } from "../support/gateway.ts";

const CONNECTIONS = 30;
const REQUESTS_EACH = 100;
const WORKERS = 2;
const CLUSTER = "cluster.sallyport.";
// The server shall answer all that it is asked, however late.
const gateway = useGateway({
  timeoutMs: 8_000,
  requestsPerSecond: 100_000,
  serve: { "overload-max-wait": "8s" },
  // Connections that are being opened to it wait as long: on a machine with much else to do it stands still for more than the usual second.
  edit: waitForConnections,
});

function waitForConnections(bootstrap: object): object {
  const { static_resources } = bootstrap as { static_resources: { clusters: { name: string }[] } };
  const clusters = static_resources.clusters.map((each) =>
    CLUSTER === `cluster.${each.name}.` ? { ...each, connect_timeout: "30s" } : each,
  );
  return { ...bootstrap, static_resources: { ...static_resources, clusters } };
}

function figures(): Promise<Readonly<Record<string, number>>> {
  return envoyStats(join(gateway.lab.directory, "envoy-admin.sock"), "^cluster\\.sallyport\\.upstream_");
}

async function openSession(): Promise<ClientHttp2Session> {
  const { leaf, ca } = await gateway.as("shop/checkout");
  const identity = { ca, cert: leaf?.cert ?? "", key: leaf?.key ?? "", checkServerIdentity: () => undefined };
  const session = connect(`https://127.0.0.1:${gateway.lab.port("http", 80)}`, identity);
  await once(session, "remoteSettings");
  return session;
}

async function statusOf(session: ClientHttp2Session, path: string): Promise<number> {
  const asked = session.request({
    ":method": "GET",
    ":scheme": "http",
    ":path": path,
    ":authority": "api.example.com",
  });
  const [headers] = await once(asked, "response");
  asked.resume();
  return headers[":status"];
}

it("what a busy server cannot take on waits in Envoy, and what cannot wait either is refused there at once", async () => {
  const { lab } = gateway;
  const sessions = await Promise.all(Array.from({ length: CONNECTIONS }, openSession));
  try {
    // Both workers know the server by now, and by its settings.
    for (const session of sessions) expect(await statusOf(session, "/v1/items/1")).toBe(200);
    const recorded = (count: number) =>
      eventually(
        () => lab.records(),
        (found) => found.length >= count,
        5_000,
      );
    const before = (await recorded(CONNECTIONS)).length;
    const statuses: number[] = [];
    lab.server.process.kill("SIGSTOP");
    const answered = sessions.flatMap((session) =>
      Array.from({ length: REQUESTS_EACH }, async (_, n) => {
        statuses.push(await statusOf(session, `/v1/items/${n}`));
      }),
    );
    const all = answered.length;
    const overflow = async (): Promise<number> => (await figures())[`${CLUSTER}upstream_rq_pending_overflow`] ?? 0;
    const seen = async (): Promise<number> => {
      const found = await figures();
      const held = ["upstream_rq_active", "upstream_rq_pending_active"].map((name) => found[CLUSTER + name] ?? 0);
      return held.reduce((sum, each) => sum + each, statuses.length);
    };
    try {
      // The server does nothing at all: whoever is refused now is refused by Envoy.
      expect(await eventually(seen, (count) => count >= all, 5_000)).toBe(all);
      expect(statuses.length).toBeGreaterThan(0);
      expect(new Set(statuses)).toEqual(new Set([403]));
      expect(await overflow()).toBe(statuses.length);
      const most = (AUTHORIZER_LIMITS.connections + WORKERS) * AUTHORIZER_LIMITS.streams + AUTHORIZER_LIMITS.waiting;
      expect(all - statuses.length).toBeLessThanOrEqual(most);
      // Each worker may have found that there is room for one more.
      const open = (await figures())[`${CLUSTER}upstream_cx_active`];
      expect(open).toBeLessThan(AUTHORIZER_LIMITS.connections + WORKERS);
    } finally {
      lab.server.process.kill("SIGCONT");
    }
    await Promise.all(answered);
    // Whom the authorizer lets pass may still find the outside too busy.
    const allowed = statuses.filter((status) => status !== 403).length;
    expect(allowed).toBeGreaterThan(AUTHORIZER_LIMITS.waiting);
    expect(allowed + (await overflow())).toBe(all);
    expect(await recorded(before + allowed)).toHaveLength(before + allowed);
  } finally {
    for (const session of sessions) session.destroy();
  }
}, 60_000);
