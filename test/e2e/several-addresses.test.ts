import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { requestHttp1, sendBytes } from "../../src/cli/demo/client.ts";
import { useGateway } from "../support/gateway.ts";

const gateway = useGateway({ policies: new URL("several-addresses", import.meta.url).pathname });

/** Listens at an address that the gateway must tell nothing, greets whoever comes, and counts the bytes it is told. */
async function trap(port: number): Promise<{ bytes: number }> {
  const counted = { bytes: 0 };
  const server = createServer((socket) => {
    socket.on("error", () => undefined).write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    socket.on("data", (chunk) => {
      counted.bytes += chunk.length;
    });
  });
  onTestFinished(() => void server.close());
  server.listen(port, "127.0.0.2");
  await once(server, "listening");
  return counted;
}

describe("a permitted name with several addresses, the first public and out of order, the next guarded", () => {
  it("the next is told nothing in its place, neither requests nor TCP", async () => {
    const { lab } = gateway;
    const { tlsPort, plainPort } = lab.upstream;
    const both = ["127.0.0.1", "127.0.0.2"];
    const hosts = ["web.example.com", "clear.example.com", "db.example.com"];
    for (const host of hosts) lab.names.addresses.set(host, both);
    await lab.upstream.close();
    const traps = [await trap(tlsPort), await trap(plainPort)];
    const caller = await gateway.as("shop/checkout");
    const get = (host: string) => requestHttp1(caller, lab.port("http", 80), "GET /", [`host: ${host}`]);
    for (let round = 0; round < 3; round++) {
      expect((await get("web.example.com")).status).toBe(503);
      expect((await get("clear.example.com")).status).toBe(503);
      expect(await sendBytes(caller, lab.port("tcp", 5432), "select 1\n", "tcp-5432.db.example.com")).toBe("");
    }
    expect(new Set(lab.names.asked)).toEqual(new Set(hosts));
    expect(traps.map(({ bytes }) => bytes)).toEqual([0, 0]);
  });
});
