import { startCheckServer } from "./check-server.ts";
import { engineFor } from "./engine-way.ts";
import { outcome, type Way } from "./way.ts";

/** A real server over gRPC on loopback. Each question is asked twice, so that the second answer comes from the cache. */
export function grpcWay(module: WebAssembly.Module): Way {
  return {
    name: "gRPC loopback",
    async open(suite) {
      const server = await startCheckServer(engineFor(suite, module));
      return {
        async ask({ name, input, nowMs }) {
          const first = outcome(await server.check(input, nowMs));
          const second = outcome(await server.check(input, nowMs));
          if (JSON.stringify(first) !== JSON.stringify(second)) throw new Error(`${name}: the second answer differs`);
          return second;
        },
        close: () => server.close(),
      };
    },
  };
}
