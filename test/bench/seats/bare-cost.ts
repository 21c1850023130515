import type { SeatsData } from "./data.ts";
import { checkCost, compared } from "./figures.ts";
import { GRPC_JS, insteadOf, MOST } from "./ways.ts";

/** In a sentence: what a handler on grpc-js costs before it does anything. Null without data. */
export function bareCost({ direct }: SeatsData): string | null {
  if (direct === undefined) return null;
  const costs = GRPC_JS.flatMap((way) => {
    const yardstick = { way: insteadOf(way, "grpc-go"), rules: MOST };
    const ratio = compared(direct, { way, rules: MOST }, yardstick, checkCost);
    return ratio === null ? [] : [{ over: way.transport === "tcp" ? "over TCP" : "over a Unix socket", ratio }];
  });
  if (costs.length === 0) return null;
  const said = costs.map(({ over, ratio }) => `${ratio.toFixed(2)} times ${over}`).join(" and ");
  return `The bare grpc-js handler, which decides and writes nothing, takes ${said} the CPU a Check of the bare grpc-go authorizer. Sallyport answers plain Checks on Node's HTTP/2 streams, in front of grpc-js.`;
}
