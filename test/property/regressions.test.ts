import { expect, test } from "vitest";
import type { PlacedDocument } from "../oracle/documents.ts";
import type { Request } from "../oracle/target.ts";
import { engineVerdict, oracleVerdict } from "./compare.ts";
import { engineFor } from "./pipeline.ts";
import { EPOCH_MS } from "./universe.ts";

/** Sets that the engine once read otherwise than the oracle. */
function root(kind: string, name: string, spec: object): PlacedDocument {
  const metadata = { name, namespace: "egress" };
  return { place: "", doc: { apiVersion: "sallyport.dev/v1alpha1", kind, metadata, spec } };
}

const request: Request = {
  kind: "http",
  principal: "spiffe://cluster.local/ns/shop/sa/pay",
  host: "a.example.com",
  port: "80",
  method: "GET",
  path: "/",
  headers: [],
};

/** The path of an identity 400 segments deep, and a selector for every prefix of it. */
const deep = "/x".repeat(400);
const selectors = [
  ...[{ spiffe: `spiffe://cluster.local${deep}` }, { trustDomain: "cluster.local" }],
  ...Array.from({ length: 400 }, (_, depth) => ({ spiffe: `spiffe://cluster.local${"/x".repeat(depth)}/*` })),
];

test.each([1, 2, 3, 4, 5, 50, 402])(
  "a rule that finds the workload in %i ways counts once and crowds out no other",
  (ways) => {
    const deny = { effect: "deny", reason: "because" };
    const group = root("IdentityGroup", "many", { members: selectors.slice(0, ways) });
    const rules = [{ name: "group", from: [{ group: "many" }], ...deny }];
    const set = {
      invalidNamespaces: [],
      documents: [
        root("EgressGateway", "gateway", { securityModel: "AllowAny" }),
        group,
        root("EgressPolicy", "a", { owner: "o@example.com", rules }),
        root("EgressPolicy", "b", { owner: "o@example.com", rules: [{ name: "everyone", ...deny }] }),
      ],
    };
    const engine = engineFor(set);
    const many = { request: { ...request, principal: `spiffe://cluster.local${deep}` }, nowMs: EPOCH_MS };
    // Asked again after another, the answer is the same: nothing was overwritten.
    for (const question of [many, { request, nowMs: EPOCH_MS }, many]) {
      expect(engineVerdict(engine, question)).toEqual(oracleVerdict(set, question));
    }
    expect(engineVerdict(engine, many).rules).toEqual(["a/group", "b/everyone"]);
  },
);
