import type { SeatsData } from "./data.ts";
import { checkCost, compared } from "./figures.ts";
import { MOST_OF_GRPC_GO } from "./goals.ts";
import { GRPC_JS, insteadOf, MOST } from "./ways.ts";

/** In a sentence: what a handler on grpc-js costs before it does anything, and whether that leaves the goal against grpc-go within reach. Null without data. */
export function bareCost({ direct }: SeatsData): string | null {
  if (direct === undefined) return null;
  const costs = GRPC_JS.flatMap((way) => {
    const yardstick = { way: insteadOf(way, "grpc-go"), rules: MOST };
    const ratio = compared(direct, { way, rules: MOST }, yardstick, checkCost);
    return ratio === null ? [] : [{ over: way.transport === "tcp" ? "over TCP" : "over a Unix socket", ratio }];
  });
  if (costs.length === 0) return null;
  const said = costs.map(({ over, ratio }) => `${ratio.toFixed(2)} times ${over}`).join(" and ");
  const beyond = costs.filter(({ ratio }) => ratio > MOST_OF_GRPC_GO).map(({ over }) => over);
  const limit = `${MOST_OF_GRPC_GO.toFixed(1)} times`;
  const verdict =
    beyond.length === 0
      ? `so ${limit} is within reach of a server on grpc-js`
      : `so ${beyond.length === costs.length ? "" : `${beyond.join(" and ")} `}${limit} is out of reach for whatever is built on grpc-js and proto-loader, as Sallyport is`;
  return `The bare grpc-js handler, which decides and writes nothing, takes ${said} the CPU a Check of the bare grpc-go authorizer: ${verdict}.`;
}
