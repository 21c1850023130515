import * as fc from "fast-check";
import { BOUNDARIES_MS } from "./universe.ts";

const instant = (ms: number) => `timestamp("${new Date(ms).toISOString()}")`;

/** Conditions on what every Check has; some of them fail. */
const EVERYWHERE = [
  ...["true", "false", 'subject.namespace == "shop"', 'subject.serviceAccount in ["cart", "x"]'],
  ...['subject.id.endsWith("/sa/cart")', 'subject.trustDomain == "cluster.local"', 'subject.namespace == ""'],
  ...[
    "size(subject.namespace) > 3",
    'target.host.startsWith("api.")',
    "target.port == 80",
    "target.port in [443, 8080]",
  ],
  ...["target.port + 1 > 443", "-target.port < -80 * 2", 'target.service == "s0"', 'target.service + "x" != "x"'],
  ...["1000 / (target.port - 80) > 2", "target.port % (target.port - 443) == 1"],
  ...["9223372036854775807 + target.port > 0", "9223372036854775807 - target.port > 0"],
  ...["now.getHours() >= 12", "now.getMinutes() + now.getSeconds() > 0", "now.getDayOfWeek() in [0, 1]"],
  ...['now - timestamp("2026-11-22T12:00:00Z") < duration("24h")', 'now + duration("1h30m") > now'],
  ...BOUNDARIES_MS.map((ms) => `now < ${instant(ms)}`),
];

/** Conditions on what only a request shows. */
const REQUEST = [
  ...['target.method == "GET"', 'target.method in ["POST", "PURGE"]', 'target.path.startsWith("/a")'],
  ...['target.path == "/é"', 'target.path.contains("b")', "size(target.path) > 2", 'target.path == "*"'],
  ...['headers["x-team"] == "a"', '"x-env" in headers', '!("x-team" in headers)', "has(headers.origin)"],
  ...['headers["content-type"].startsWith("application/")', 'headers["x-team"] == headers["x-env"]'],
  ...['size(headers["x-env"]) < 2', 'headers["x-team"] + headers["x-env"] == "ab"', 'headers["x-team"] in ["a", "é"]'],
];

function expressions(atoms: readonly string[]): fc.Arbitrary<string> {
  const atom = fc.noShrink(fc.constantFrom(...atoms));
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      { weight: 4, arbitrary: atom },
      { weight: 1, arbitrary: tie("tree").map((one) => `!(${one})`) },
      { weight: 2, arbitrary: fc.tuple(tie("tree"), tie("tree")).map(([one, other]) => `(${one}) && (${other})`) },
      { weight: 2, arbitrary: fc.tuple(tie("tree"), tie("tree")).map(([one, other]) => `(${one}) || (${other})`) },
      {
        weight: 1,
        arbitrary: fc.tuple(atom, tie("tree"), tie("tree")).map(([a, b, c]) => `(${a}) ? (${b}) : (${c})`),
      },
    ),
  }));
  return tree.filter((text) => text.length <= 1024);
}

/** An expression of each sort: for rules of which some target can never show a request, and for all others. */
export const expressionDraft = fc.record({
  everywhere: expressions(EVERYWHERE),
  request: expressions([...EVERYWHERE.slice(2, 16), ...REQUEST, ...REQUEST]),
});
