import { describe, expect, it } from "vitest";
import { requestHttp1, requestHttp2 } from "../../src/cli/demo/client.ts";
import { useGateway } from "../support/gateway.ts";

const gateway = useGateway();
const CHAT = "host: chat.example.com";
const WEBSOCKET = ["connection: Upgrade", "upgrade: websocket", "sec-websocket-version: 13", "sec-websocket-key: AAAA"];

async function get(who: string, headers: readonly string[], expectedRecords = 1) {
  const caller = await gateway.as(who);
  const send = () => requestHttp1(caller, gateway.lab.port("http", 80), "GET /rooms/1", [CHAT, ...headers]);
  const { answer, records } = await gateway.outcome(send, expectedRecords);
  return { status: answer.status, decided: records.map(({ reason, cacheHit }) => [reason, cacheHit]) };
}

describe("upgrades", () => {
  it("a websocket after a cached plain GET is decided anew and refused: upgrade-not-allowed", async () => {
    expect(await get("shop/reader", [])).toEqual({ status: 200, decided: [["allowed-by-rule", false]] });
    expect(await get("shop/reader", [])).toEqual({ status: 200, decided: [["allowed-by-rule", true]] });
    const seen = gateway.lab.upstream.seen.length;
    expect(await get("shop/reader", WEBSOCKET)).toEqual({ status: 403, decided: [["upgrade-not-allowed", false]] });
    expect(gateway.lab.upstream.seen).toHaveLength(seen);
  });

  it("a websocket that a rule names passes, and plain requests still do", async () => {
    expect(await get("shop/talker", WEBSOCKET)).toEqual({ status: 101, decided: [["allowed-by-rule", false]] });
    expect(gateway.lab.upstream.seen.at(-1)?.headers.upgrade).toBe("websocket");
    expect(await get("shop/talker", [])).toEqual({ status: 200, decided: [["allowed-by-rule", false]] });
  });

  it("a plain GET after a refused websocket is not refused for it", async () => {
    expect(await get("shop/reader", WEBSOCKET)).toEqual({ status: 403, decided: [["upgrade-not-allowed", true]] });
    expect((await get("shop/reader", [])).status).toBe(200);
  });

  it("no fallback lets a websocket pass", async () => {
    expect(await get("lab/probe", [])).toEqual({ status: 200, decided: [["fallback-allow", false]] });
    expect(await get("lab/probe", WEBSOCKET)).toEqual({ status: 403, decided: [["upgrade-not-allowed", false]] });
  });

  it("a list of protocols is refused by Envoy itself", async () => {
    expect(await get("shop/talker", ["connection: upgrade", "upgrade: websocket, h2c"], 0)).toMatchObject({
      status: 403,
    });
    // The one record after it is that of a plain request: nobody was asked about the list.
    expect(await get("shop/talker", [])).toMatchObject({ status: 200, decided: [["allowed-by-rule", true]] });
  });

  it("an upgrade to h2c goes on as the plain request that was decided", async () => {
    const plain = await get("shop/reader", ["connection: upgrade, close", "upgrade: h2c"]);
    expect(plain).toMatchObject({ status: 200, decided: [["allowed-by-rule", true]] });
    expect(gateway.lab.upstream.seen.at(-1)?.headers).not.toHaveProperty("upgrade");
  });

  it("CONNECT over HTTP/2 is refused, with a record: upgrade-not-allowed", async () => {
    const caller = await gateway.as("lab/probe");
    const before = { ...gateway.lab.upstream.connections };
    const connect = { ":method": "CONNECT", ":authority": "chat.example.com:80" };
    const send = () => requestHttp2(caller, gateway.lab.port("http", 80), connect);
    const { answer, records } = await gateway.outcome(send, 1);
    expect([answer.status, records.map(({ reason }) => reason)]).toEqual([403, ["upgrade-not-allowed"]]);
    expect(gateway.lab.upstream.connections).toEqual(before);
  });
});
