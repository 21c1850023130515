import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { freePorts } from "../../src/cli/demo/ports.ts";

describe("ports for programs that are to be started", () => {
  it("are each given once, and none is one that the kernel gives away", async () => {
    const ports = (await Promise.all(Array.from({ length: 20 }, () => freePorts(5)))).flat();
    expect(new Set(ports).size).toBe(100);
    const [first = 0] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s/).map(Number);
    // Where there are too few below, they are as good as any.
    expect(Math.max(...ports)).toBeLessThan(first > 11_000 ? first : 65_536);
  });

  it("are marked as taken for other processes, and can be listened on", async () => {
    const [port = 0] = await freePorts(1);
    const other = createSocket("udp4").bind(port, "127.0.0.1");
    await expect(once(other, "listening")).rejects.toThrow("EADDRINUSE");
    other.close();
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    server.close();
  });
});
