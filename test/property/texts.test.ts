import * as fc from "fast-check";
import { test } from "vitest";
import type { HeaderPair, Request } from "../oracle/target.ts";
import { budgetFor, runProperty } from "./budget.ts";
import { engineVerdict, oracleVerdict, sameVerdict, show } from "./compare.ts";
import { engineFor } from "./pipeline.ts";
import type { GeneratedSet } from "./realise.ts";
import { EPOCH_MS, PATH_PATTERNS } from "./universe.ts";

/**
 * Texts made of the bits that grammars stumble over, asked of one set that shows how each was read: every path pattern
 * and header has an enforced allow and a report-mode deny of its own, so that `rules` and `shadowRules` name what matched.
 */
const conditions = [
  ...PATH_PATTERNS.map((path) => ({ paths: [path] })),
  ...["a", "é", ""].map((value) => ({ headers: { "x-team": [value] } })),
];
const targets = conditions.map((each) => ({ hosts: ["*.example.com"], ...each }));
const allows = targets.map((to, index) => ({
  name: `a${index}`,
  from: [{ trustDomain: "cluster.local" }],
  to: [to],
  upgrades: ["h2c"],
}));
const denies = targets.map((to, index) => ({ name: `d${index}`, effect: "deny", to: [to], reason: "because" }));
const upgrades = ["websocket", "a/b"].map((token) => ({
  name: `u-${token[0]}`,
  from: [{ namespace: "shop" }],
  to: [{ service: "vendor", methods: ["UP"] }],
  upgrades: [token],
}));

function root(kind: string, name: string, spec: object) {
  const metadata = { name, namespace: "egress" };
  return { place: "", doc: { apiVersion: "sallyport.dev/v1alpha1", kind, metadata, spec } };
}

const set: GeneratedSet = {
  invalidNamespaces: [],
  documents: [
    root("EgressGateway", "gateway", {
      trustDomains: ["cluster.local", "mesh.example"],
      federatedTrustDomains: ["partner.example"],
    }),
    root("ExternalService", "vendor", {
      hosts: ["*.example.com"],
      ports: [
        { number: 80, protocol: "HTTP" },
        { number: 90, protocol: "GRPC" },
      ],
    }),
    root("ExternalService", "addresses", {
      hosts: ["10.0.0.1", "[2001:db8::1]"],
      ports: [{ number: 80, protocol: "HTTP" }],
      internal: true,
    }),
    root("EgressPolicy", "allows", { owner: "o@example.com", rules: [...allows, ...upgrades] }),
    root("EgressPolicy", "denies", { owner: "o@example.com", mode: "report", rules: denies }),
  ],
};
const plain: Request = {
  ...{ kind: "http", principal: "spiffe://cluster.local/ns/shop/sa/cart", host: "api.example.com", port: "80" },
  ...{ method: "UP", path: "/", headers: [] },
};
const engine = engineFor(set);
const budget = budgetFor(120);

/** Asks both about 100 requests a run. */
function agreeOn<T>(arbitrary: fc.Arbitrary<T>, request: (value: T) => Partial<Request>): void {
  const property = fc.property(fc.array(arbitrary, { minLength: 100, maxLength: 100 }), (values) => {
    for (const value of values) {
      const question = { request: { ...plain, ...request(value) }, nowMs: EPOCH_MS };
      const [one, other] = [engineVerdict(engine, question), oracleVerdict(set, question)];
      if (!sameVerdict(one, other)) throw new Error([show(question.request), show(one), show(other)].join("\n"));
    }
  });
  runProperty(property, budget);
}

/** Bits in a row, or a good text with one of its places overwritten. */
function stumbling(bits: readonly string[], good: readonly string[], most: number): fc.Arbitrary<string> {
  const bit = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...bits) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", size: "small", maxLength: 2 }) },
  );
  const row = fc.array(bit, { maxLength: most, size: "max" }).map((some) => some.join(""));
  const spliced = fc
    .tuple(fc.constantFrom(...good), fc.noBias(fc.nat({ max: 80 })), fc.nat({ max: 2 }), bit)
    .map(
      ([text, at, drop, put]) =>
        text.slice(0, at % (text.length + 1)) + put + text.slice((at % (text.length + 1)) + drop),
    );
  return fc.oneof(row, spliced, spliced);
}

const labels = [
  ...[
    ".",
    ".",
    ":",
    "::",
    "[",
    "]",
    "-",
    "_",
    "a",
    "Z",
    "0x",
    "f",
    "0",
    "1",
    "9",
    "255",
    "256",
    "01",
    "ffff",
    "00001",
    "%",
    "@",
    "/",
    "*",
    " ",
  ],
  ".example.com",
];
const hosts = [
  "api.example.com",
  "api.example.com.:80",
  "a_b.c.example.com",
  "10.0.0.1",
  "[2001:db8::1]:80",
  "[2001:db8:0:0:0:0:0.0.0.1]",
  "[1:2:3:4:5:6:7:8]",
  "0x7f.0.0.1",
];
const principals = [
  "spiffe://cluster.local/ns/shop/sa/cart",
  "spiffe://mesh.example/ns/shop/sa/cart",
  "spiffe://partner.example",
  "spiffe://cluster.local/a/b.c/d_e-f",
];
const steps = [
  "/",
  "/",
  "a",
  "b",
  "{*}",
  ".",
  "%2e",
  "%2E",
  "%2f",
  "%5c",
  "%25",
  "%61",
  "%",
  "%0",
  "%00",
  "%c3%a9",
  "%c3",
  "%e2%82%ac",
  "%f0%9f%98%80",
  "%ed%a0%80",
  "%c0%80",
  "?",
  "#",
  ";",
  "\\",
  "*",
  "é",
  " ",
  "\u007f",
];
const paths = ["/a", "/a/b", "/a/b/c", "/%61/b", "/é", "/a b", "/a/%c3%a9/c"];
const tokens = [
  "upgrade",
  "Upgrade",
  ",",
  ", ",
  "\t",
  " ",
  "websocket",
  "WebSocket",
  "h2c",
  "a/b",
  "A/B",
  ";",
  "close",
  "\u00a0",
  "!#$%&'*+-.^_|~",
  '"',
  "(",
  "@",
  ":",
  "é",
];

test("hosts, in every kind of Check", { timeout: budget.timeoutMs }, () => {
  const kinds = fc.constantFrom<Partial<Request>>({}, { port: null }, { kind: "tls" }, { kind: "tcp" }, { port: "90" });
  agreeOn(fc.tuple(stumbling(labels, hosts, 10), kinds), ([host, more]) => ({ host, ...more }));
  agreeOn(stumbling(labels, hosts, 10), (host) => ({ headers: [["host", host]] }));
});

test("ports", { timeout: budget.timeoutMs }, () => {
  agreeOn(
    stumbling(["0", "1", "5", "6", "8", "9", "+", "-", " ", "e", "x", "."], ["80", "65535", "65536", "100000"], 6),
    (port) => ({ port }),
  );
});

test("principals", { timeout: budget.timeoutMs }, () => {
  const bits = [
    "spiffe://",
    "cluster.local",
    "/",
    "ns",
    "/ns/shop/sa/",
    "a",
    "Z",
    ".",
    "..",
    "-",
    "_",
    "%",
    ":",
    "@",
    "?",
    "#",
    " ",
    "~",
  ];
  agreeOn(stumbling(bits, principals, 8), (principal) => ({ principal }));
});

test("paths", { timeout: budget.timeoutMs }, () => {
  agreeOn(stumbling(steps, paths, 8), (path) => ({ path }));
});

/** The engine takes eight plain bytes of a path at a time, up to where it is too long. */
test("paths with one odd bit anywhere among plain bytes, up to the longest", { timeout: budget.timeoutMs }, () => {
  const short = { weight: 40, arbitrary: fc.nat({ max: 40 }) };
  const before = fc.oneof(short, { weight: 1, arbitrary: fc.integer({ min: 8_170, max: 8_192 }) });
  agreeOn(fc.tuple(before, fc.constantFrom(...steps), fc.nat({ max: 20 })), ([many, odd, more]) => ({
    path: `/a/${"x".repeat(many)}${odd}${"y".repeat(more)}`,
  }));
});

test("headers and upgrades, as text and as bytes", { timeout: budget.timeoutMs }, () => {
  const text = stumbling(tokens, ["upgrade", "close, Upgrade", "websocket", "h2c", "a"], 4);
  const bytes = fc.uint8Array({ maxLength: 6 });
  const latin1 = text.map((each) => Uint8Array.from(each, (char) => char.charCodeAt(0) & 0xff));
  const name = fc.constantFrom("x-team", "connection", "upgrade", "content-type", ":protocol", "te");
  const pair = fc.tuple(name, fc.oneof({ weight: 3, arbitrary: text }, latin1, bytes));
  const usual: HeaderPair[] = [
    ["connection", "upgrade"],
    ["upgrade", "websocket"],
    ["content-type", "application/grpc"],
  ];
  const port = fc.constantFrom("80", "80", "90");
  const chosen = fc.tuple(fc.subarray(usual), fc.array(pair, { minLength: 1, maxLength: 3 }), port);
  agreeOn(chosen, ([some, more, number]) => ({ headers: [...some, ...more], port: number }));
});
