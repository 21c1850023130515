import { join } from "node:path";
import { expect, it } from "vitest";
import { requestHttp2 } from "../../src/cli/demo/client.ts";
import { envoyStats } from "../support/envoy-stats.ts";
import { useGateway } from "../support/gateway.ts";

const AT_ONCE = 200;
const gateway = useGateway({ serve: { "audit-mode": "strict", "overload-max-in-flight": "1" } });

it("a Check that the server does not take on is refused by Envoy at once, which keeps its connections", async () => {
  const { lab } = gateway;
  const caller = await gateway.as("shop/checkout");
  const headers = { ":method": "GET", ":scheme": "http", ":path": "/v1/items/7", ":authority": "api.example.com" };
  const get = () => requestHttp2(caller, lab.port("http", 80), headers);
  expect((await get()).status).toBe(200);
  const answers = await Promise.all(Array.from({ length: AT_ONCE }, get));
  const allowed = answers.filter(({ status }) => status === 200).length;
  const refused = answers.filter(({ status }) => status === 403).length;
  expect(allowed + refused).toBe(AT_ONCE);
  expect(refused).toBeGreaterThan(0);
  // Of what was decided there is a record each, of what was not there is none.
  const { records } = await gateway.outcome(get, 1);
  expect(records).toHaveLength(1);
  expect((await lab.records()).filter(({ effect }) => effect === "allow")).toHaveLength(allowed + 2);
  const page = await (await fetch(`http://127.0.0.1:${lab.adminPort}/metrics`)).text();
  const counted = [...page.matchAll(/^sallyport_checks_refused_total\{.*\} (\d+)$/gm)];
  expect(counted.reduce((sum, [, value]) => sum + Number(value), 0)).toBe(refused);
  const stats = await envoyStats(
    join(lab.directory, "envoy-admin.sock"),
    "^cluster\\..*ext_authz\\.error$|^cluster\\.sallyport\\.upstream_cx_destroy$",
  );
  expect(stats).toMatchObject({ "cluster.sallyport.upstream_cx_destroy": 0 });
  expect(Object.values(stats).reduce((sum, each) => sum + each, 0)).toBe(refused);
});
