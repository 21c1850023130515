import { LAYOUT } from "../bundle/layout.ts";
import type { Canonicaliser } from "../policy/canonicaliser.ts";
import { createEngineInstance } from "./engine-instance.ts";

const KINDS = ["name", "ipv4", "ipv6"] as const;

/** The engine's own canonicalisation for the policy side: the same code that reads requests. */
export function createCanonicaliser(module: WebAssembly.Module): Canonicaliser {
  const engine = createEngineInstance(module);
  function read(address: number, length: number): string {
    const start = engine.view.getUint32(engine.answer + address, true);
    return engine.bytes.toString("latin1", start, start + engine.view.getUint32(engine.answer + length, true));
  }
  return {
    host(authority, clusterDomain) {
      const address = engine.reserve((authority.length + clusterDomain.length) * 3 + 1);
      const length = engine.bytes.write(authority, address, "utf8");
      const clusterLength = engine.bytes.write(clusterDomain, address + length, "utf8");
      if (engine.exports.canonicaliseHost(length, clusterLength) === 0) return null;
      const { view } = engine;
      const port = view.getUint32(engine.answer + LAYOUT.A_PORT, true);
      return {
        kind: KINDS[view.getUint32(engine.answer + LAYOUT.A_HOST_KIND, true)] ?? "name",
        host: read(LAYOUT.A_HOST, LAYOUT.A_HOST_LENGTH),
        port: port === 0 ? null : port,
        guarded: view.getUint32(engine.answer + LAYOUT.A_GUARDED, true) !== 0,
      };
    },
    spiffeId(text) {
      const address = engine.reserve(text.length * 3 + 1);
      if (engine.exports.parseSpiffeId(engine.bytes.write(text, address, "utf8")) === 0) return null;
      return {
        trustDomain: read(LAYOUT.A_DOMAIN, LAYOUT.A_DOMAIN_LENGTH),
        path: read(LAYOUT.A_ID_PATH, LAYOUT.A_ID_PATH_LENGTH),
      };
    },
  };
}
