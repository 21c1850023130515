import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { requestHttp1 } from "../../src/cli/demo/client.ts";
import { startLab } from "../../src/cli/demo/lab.ts";
import { E2E_POLICIES } from "../support/gateway.ts";
import { decidedBy, untilSeated } from "../support/seat.ts";

const SECRET = "CANARY-7f3a91";

it("what a request carries in its query, headers and user information is nowhere that the gateway seat writes to", async () => {
  const lab = await startLab({
    policies: E2E_POLICIES,
    timeoutMs: 2_000,
    seat: "gateway",
    serve: { "audit-headers-include": "x-team" },
  });
  try {
    const reader = await lab.workload("shop/reader");
    const send = (line: string, host: string, headers: readonly string[] = []) =>
      requestHttp1(reader, lab.port("http", 80), line, [`host: ${host}`, ...headers]);
    await untilSeated(lab, () => send("GET /rooms/1", "chat.example.com"));
    const before = (await decidedBy(lab, "gateway")).length;
    const lines = [
      `GET /rooms/1?token=${SECRET}`,
      `GET /rooms/1?a=b#${SECRET}`,
      `GET //user:${SECRET}@chat.example.com/rooms/1`,
      `GET http://user:${SECRET}@chat.example.com/rooms/1?${SECRET}`,
      `GET /?${SECRET}`,
    ];
    const secrets = [`authorization: Bearer ${SECRET}`, `cookie: s=${SECRET}`, `x-api-key: ${SECRET}`];
    const hosts = ["chat.example.com", "nowhere.example.org", `user:${SECRET}@chat.example.com`, `${SECRET}@x`];
    const bodies: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      for (const line of lines) for (const host of hosts) bodies.push((await send(line, host, secrets)).body);
    }
    await sleep(1_500);
    expect((await decidedBy(lab, "gateway")).length).toBeGreaterThan(before + 20);
    const places = {
      trail: await readFile(lab.auditFile, "utf8"),
      "Envoy's access log": await readFile(`${lab.directory}/access.jsonl`, "utf8"),
      metrics: await (await fetch(`http://127.0.0.1:${lab.adminPort}/metrics`)).text(),
      "recent decisions": await (await fetch(`http://127.0.0.1:${lab.adminPort}/v1/decisions`)).text(),
      "the server's log": lab.server.output(),
      "Envoy's log": lab.envoy.output(),
      refusals: bodies.filter((body) => body.includes('"decision"')).join(),
    };
    for (const [place, text] of Object.entries(places)) {
      const at = text.indexOf(SECRET);
      expect(text.slice(Math.max(0, at - 160), at + 40), place).not.toContain(SECRET);
    }
  } finally {
    await lab.close();
  }
}, 90_000);
