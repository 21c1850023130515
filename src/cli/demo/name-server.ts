import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode } from "dns-packet";

/** Stands in for the world's DNS, on loopback. */
export interface NameServer {
  readonly port: number;
  /** Addresses of names that lead elsewhere than the rest; may be changed at any time. Other names are where `others` says. */
  readonly addresses: Map<string, readonly string[]>;
  /** Names asked for so far. */
  readonly asked: string[];
  close(): Promise<void>;
}

/** Answers each question at once; names that it was told nothing of lead to `others`. */
export async function startNameServer(others: string): Promise<NameServer> {
  const addresses = new Map<string, readonly string[]>();
  const asked: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (message, { address, port }) => {
    const { id, questions = [] } = decode(message);
    asked.push(...questions.map(({ name }) => name));
    const answers = questions.flatMap(({ name, type }) => {
      const known = addresses.get(name.toLowerCase()) ?? [others];
      const wanted = known.filter((each) =>
        type === "A" ? !each.includes(":") : type === "AAAA" && each.includes(":"),
      );
      return wanted.map((data): Answer => ({ type: type === "A" ? "A" : "AAAA", name, ttl: 1, data }));
    });
    const answer = encode({ type: "response", id: id ?? 0, flags: AUTHORITATIVE_ANSWER, questions, answers });
    socket.send(answer, port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    port: socket.address().port,
    addresses,
    asked,
    close: () => new Promise((done) => socket.close(() => done())),
  };
}
