import * as fc from "fast-check";
import { HEADER_NAMES, HEADER_VALUES, METHODS, UPGRADES } from "./universe.ts";

/** A request before it is aimed at a set. */
export type RequestDraft = typeof requestDraft extends fc.Arbitrary<infer T> ? T : never;

/** Numbers below a bound, all equally likely. */
const below = (bound: number) => fc.noBias(fc.nat({ max: bound - 1 }));
const choice = below(10_000);
const often = <T>(usual: readonly [T, ...T[]], odd: readonly [T, ...T[]], one: number) =>
  fc.oneof(
    { weight: one - 1, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  );

const PATHS = ["/", "/a", "/a/b", "/a/b/c", "/a/", "/ab", "/x/b", "/A", "/a/b/", "/a b", "/é", "/a/b/c/d"] as const;
const ODD_PATHS = [
  ...["*", "", "?", "/a?x=/../", "/a?", "*?", "a", "http://api.example.com/a", "/a#b", "/a;b", "/a\\b", "/a?#;\\"],
  ...[
    "//",
    "/a//b",
    "/a/./b",
    "/a/../b",
    "/..",
    "/.",
    "/a/.",
    "/a/...",
    "/%2e",
    "/a/%2E%2e/b",
    "/a/.%2e",
    "/%2e%2e%2f",
  ],
  ...[
    "/%61",
    "/%61/%62",
    "/a%2Fb",
    "/a%2fb",
    "/a%5Cb",
    "/a%255b",
    "/a%00",
    "/a%0A",
    "/a%7f",
    "/a%1f",
    "/a%20b",
    "/a%3Bb",
  ],
  ...["/a%3Fb", "/a%23b", "/a%2Ab", "/%7B*%7D", "/%", "/%4", "/%4g", "/%C3%A9", "/%c3%a9", "/%C3", "/%FF", "/%C0%AF"],
  ...[
    "/%ED%A0%80",
    "/%EF%BB%BF",
    "/\ufeff",
    "/a\u0000",
    "/a\u001f",
    "/a\u007f",
    "/a\tb",
    "/\u0080",
    "/%C2%80",
    "/{*}",
    "/a/{**}",
    "/%F4%90%80%80",
  ],
  ...[
    `/a/${"b".repeat(8189)}`,
    `/a/${"b".repeat(8190)}`,
    `/a/${"b".repeat(8189)}?${"q".repeat(9000)}`,
    `/${"é".repeat(4096)}`,
  ],
] as const;

const bytes = (...some: number[]) => Uint8Array.from(some);
const VALUES = [
  ...HEADER_VALUES,
  "a,b",
  "a, b",
  "A",
  " a",
  "application/grpc+proto",
  "application/grp",
  "Application/grpc",
] as const;
const ODD_VALUES = [
  bytes(0xff),
  bytes(0x61),
  bytes(0xc3, 0xa9),
  bytes(0xc3),
  bytes(),
  bytes(0x61, 0x2c),
  bytes(0x61, 0xff),
];
const GRPC = new TextEncoder().encode("application/grpc");

const ordinary = fc.tuple(
  fc.constantFrom(...HEADER_NAMES),
  often<string | Uint8Array>(VALUES, [...ODD_VALUES, GRPC, Uint8Array.from([...GRPC, 0xff])] as never, 8),
);

/** Upgrades in every shape of docs/semantics.md §7, well formed and not. */
const upgrade = fc.tuple(
  often<readonly string[]>(
    [["Upgrade"], ["upgrade"], ["keep-alive, Upgrade"]],
    [
      [],
      [""],
      ["close"],
      ["upgrades"],
      ["close", "UPGRADE"],
      ["a,upgrade\t,b"],
      [",upgrade"],
      ["up grade"],
      ["\u00a0upgrade"],
      ["upgrade;x"],
    ],
    2,
  ),
  often<readonly (string | Uint8Array)[]>(
    [...UPGRADES.map((each) => [each]), ["WebSocket"], [" websocket\t"]] as never,
    [
      [],
      [""],
      [" "],
      ["websocket,h2c"],
      ["websocket", "websocket"],
      ["web socket"],
      ["\u00a0websocket"],
      ["websocket;q=1"],
      ["foo/2/3"],
      ["\u212a"],
      [bytes(0xff)],
      [bytes(0x68, 0x32, 0x43)],
    ],
    2,
  ),
);

/** What is no SPIFFE ID, or only just one. `TD` stands for a trust domain of the set. */
const ODD_PRINCIPALS = [
  ...[
    "",
    "",
    "TD",
    "api.example.com",
    "CN=cart,O=shop",
    "spiffe://TD",
    "spiffe://",
    "spiffe:///ns/shop/sa/cart",
    "SPIFFE://TD/ns/shop/sa/cart",
  ],
  ...[
    "spiffe://TD/",
    "spiffe://TD//",
    "spiffe://TD/ns/shop/sa/cart/",
    "spiffe://TD/ns//sa/cart",
    "spiffe://TD/ns/./sa/cart",
    "spiffe://TD/ns/../sa/cart",
  ],
  ...[
    "spiffe://TD/ns/.../sa/cart",
    "spiffe://TD:80/ns/shop/sa/cart",
    "spiffe://u@TD/ns/shop/sa/cart",
    "spiffe://TD/ns/shop/sa/cart?x",
    "spiffe://TD/ns/shop/sa/cart#x",
  ],
  ...[
    "spiffe://TD/ns/shop/sa/c%61rt",
    "spiffe://TD/ns/shop/sa/cart\u0000",
    "spiffe://TD/ns/shop/sa/cart\n",
    "spiffe://TD/ns/shop/sa/cárt",
    "spiffe://TD/ns/shop/sa/\ufffd",
  ],
  ...[
    "spiffe://TD/ns/shop/sa/cart,spiffe://TD/ns/shop/sa/cart",
    " spiffe://TD/ns/shop/sa/cart",
    "spiffe://TD/ns/shop/sa/cart ",
    "spiffe:/TD/ns/shop/sa/cart",
  ],
  ...[
    "spiffe://\u212a.example/x",
    "spiffe://TD/ns/shop/sa/\u212a",
    "spiffe://Cluster.local/ns/shop/sa/cart",
    "spiffe://TD/ns/shop/sa/ca~rt",
    "https://TD/ns/shop/sa/cart",
  ],
  ...[
    "spiffe://elsewhere.example/ns/shop/sa/cart",
    "spiffe://elsewhere.example",
    "spiffe://-/x",
    "spiffe://../x",
    "spiffe://a_b/x",
    `spiffe://${"a".repeat(255)}/x`,
  ],
  ...[
    `spiffe://${"a".repeat(256)}/x`,
    "spiffe://partner.example/ns/shop/sa/cart",
    "spiffe://cluster.local/ns/shop/sa/cart",
    "spiffe://mesh.example/ns/shop/sa/cart",
  ],
  ...[`spiffe://partner.example/${"a".repeat(2048 - 25)}`, `spiffe://partner.example/${"a".repeat(2048 - 24)}`],
] as const;

/** Paths of well-formed identities. */
const IDENTITY_PATHS = [
  ...[
    "/ns/shop/sa/cart",
    "/ns/shop/sa/cart",
    "/ns/shop/sa/pay",
    "/ns/till/sa/cart",
    "/ns/till/sa/pay",
    "/ns/egress/sa/cart",
  ],
] as const;

/** Paths of identities without a namespace, of the partner's twin, and of a refused namespace. */
const ODD_IDENTITY_PATHS = [
  ...[
    "/ns/broken/sa/cart",
    "/batch",
    "/batch/x",
    "/batch/x/y",
    "/batches/x",
    "",
    "/ns/shop",
    "/ns/shop/sa",
    "/ns/shop/sa/cart/x",
    "/ns/shop/x/cart",
  ],
  ...["/sa/cart/ns/shop", "/ns/Shop/sa/cart", "/ns/shop/sa/Cart", "/ns/shop_x/sa/cart", "/ns/sa/sa/sa"],
] as const;

/** Drafts of requests; `aim` decides most choices by what the set registers. */
export const requestDraft = fc.record({
  principal: fc.oneof(
    {
      weight: 14,
      arbitrary: fc.record({ domain: choice, path: often<string>(IDENTITY_PATHS, ODD_IDENTITY_PATHS, 5) }),
    },
    { weight: 1, arbitrary: fc.constantFrom(...ODD_PRINCIPALS) },
  ),
  aim: below(10),
  service: choice,
  host: choice,
  port: choice,
  kind: choice,
  spelling: below(61),
  naming: below(40),
  method: often<string>(METHODS, ["get", "CONNECT", "connect", "", "OPTIONS", "GET "], 6),
  path: often<string>(PATHS, ODD_PATHS, 2),
  headers: fc.array(ordinary, { maxLength: 3 }),
  upgrade: fc.option(upgrade, { nil: null, freq: 5 }),
  pseudo: below(61),
  now: choice,
});
