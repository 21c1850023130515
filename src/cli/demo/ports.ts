import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

/** Below these ports are those of services. */
const LOWEST = 10_000;
/** Where ports begin that the kernel gives to whoever asks for any, when it does not say so. */
const USUAL_END = 32_768;
const TRIES = 1_000;

/**
 * Loopback ports that nobody listens on, kept from every other process that asks here for as long as this one lives. Where
 * the kernel's own ports begin high enough, as they usually do, it gives none of these to a connection either: between here and the start of the program that is to listen, none is lost.
 * @throws when there are none left
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const end = endOfFixedPorts();
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries += 1) {
    if (tries === TRIES) throw new Error(`no free loopback ports from ${LOWEST} to ${end - 1}; end what listens there`);
    const port = randomInt(LOWEST, end);
    // Programs listen on TCP: the same port of UDP is the mark that it is taken.
    if ((await claimDatagrams(port)) && (await isFree(port))) ports.push(port);
  }
  return ports;
}

function endOfFixedPorts(): number {
  try {
    const first = Number(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s/)[0]);
    return first > LOWEST + TRIES ? first : USUAL_END;
  } catch {
    return USUAL_END;
  }
}

async function claimDatagrams(port: number): Promise<boolean> {
  const socket = createSocket("udp4").bind({ port, address: "127.0.0.1", exclusive: true }).unref();
  return once(socket, "listening").then(
    () => true,
    () => {
      socket.close();
      return false;
    },
  );
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen({ port, host: "127.0.0.1", exclusive: true });
  const free = await once(server, "listening").then(
    () => true,
    () => false,
  );
  if (free) await new Promise((done) => server.close(done));
  return free;
}
