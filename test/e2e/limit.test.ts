import { describe, expect, it } from "vitest";
import { requestHttp2 } from "../../src/cli/demo/client.ts";
import { useGateway } from "../support/gateway.ts";

const PER_SECOND = 5;
const gateway = useGateway({ requestsPerSecond: PER_SECOND });

describe("a workload that floods the gateway", () => {
  it("is refused before anybody is asked, and takes nothing from another", async () => {
    const { lab } = gateway;
    const get = async (who: string) => {
      const headers = { ":method": "GET", ":scheme": "http", ":path": "/v1/items/7", ":authority": "api.example.com" };
      return (await requestHttp2(await gateway.as(who), lab.port("http", 80), headers)).status;
    };
    const flood = await Promise.all(Array.from({ length: PER_SECOND * 12 }, () => get("shop/checkout")));
    const refused = flood.filter((status) => status === 429).length;
    expect(refused).toBeGreaterThan(PER_SECOND * 5);
    expect(await get("lab/probe")).toBe(200);
    const { records } = await gateway.outcome(() => Promise.resolve({ status: null, headers: {}, body: "" }), 0);
    expect(records).toEqual([]);
    expect((await lab.records()).length).toBeLessThanOrEqual(flood.length - refused + 1);
  });
});
