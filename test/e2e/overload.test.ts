import { request } from "node:http";
import { join } from "node:path";
import { expect, it } from "vitest";
import { requestHttp2 } from "../../src/cli/demo/client.ts";
import { useGateway } from "../support/gateway.ts";

const AT_ONCE = 200;
const gateway = useGateway({ serve: { "audit-mode": "strict", "overload-max-in-flight": "1" } });

/** A counter of Envoy's. */
async function envoyStat(directory: string, name: string): Promise<number> {
  const text = await new Promise<string>((resolve, reject) => {
    const asked = request(
      { socketPath: join(directory, "envoy-admin.sock"), path: `/stats?filter=${name}` },
      (answer) => {
        let body = "";
        answer.setEncoding("utf8").on("data", (chunk) => {
          body += chunk;
        });
        answer.on("end", () => resolve(body));
      },
    );
    asked.on("error", reject).end();
  });
  return [...text.matchAll(/: (\d+)$/gm)].reduce((sum, [, value]) => sum + Number(value), 0);
}

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
  expect(await envoyStat(lab.directory, "^cluster.*ext_authz.error$")).toBe(refused);
  expect(await envoyStat(lab.directory, "cluster.sallyport.upstream_cx_destroy$")).toBe(0);
});
