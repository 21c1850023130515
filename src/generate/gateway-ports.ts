/** Ports that ASM itself allots to TLS and TCP services, and that Istio leaves alone. */
const FIRST = 10_001;
const COUNT = 10_000;

/** A port of the gateway per key, from the key's own text, so that adding one service moves no other (collisions apart). */
export function gatewayPorts(keys: readonly string[]): ReadonlyMap<string, number> {
  if (keys.length > COUNT) throw new RangeError("more hosts and ports than a gateway has ports");
  const taken = new Set<number>();
  const ports = new Map<string, number>();
  for (const key of [...keys].sort()) {
    let port = FIRST + (fnv1a(key) % COUNT);
    while (taken.has(port)) port = FIRST + ((port - FIRST + 1) % COUNT);
    taken.add(port);
    ports.set(key, port);
  }
  return ports;
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash;
}
