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

const selectors = [
  ...[
    { serviceAccount: "shop/pay" },
    { spiffe: "spiffe://cluster.local/*" },
    { spiffe: "spiffe://cluster.local/ns/*" },
  ],
  ...[{ namespace: "shop" }, { trustDomain: "cluster.local" }, { spiffe: "spiffe://cluster.local/ns/shop/*" }],
];

test.each([1, 2, 3, 4, 5, 6])(
  "a rule that finds the workload in %i ways counts once and crowds out no other",
  (ways) => {
    const members = selectors.slice(0, ways);
    const deny = { effect: "deny", reason: "because" };
    const set = {
      invalidNamespaces: [],
      documents: [
        root("EgressGateway", "gateway", { securityModel: "AllowAny" }),
        root("IdentityGroup", "many", { members }),
        root("EgressPolicy", "a", {
          owner: "o@example.com",
          rules: [{ name: "group", from: [{ group: "many" }], ...deny }],
        }),
        root("EgressPolicy", "b", { owner: "o@example.com", rules: [{ name: "everyone", ...deny }] }),
      ],
    };
    const question = { request, nowMs: EPOCH_MS };
    const verdict = engineVerdict(engineFor(set), question);
    expect(verdict).toEqual(oracleVerdict(set, question));
    expect(verdict.rules).toEqual(["a/group", "b/everyone"]);
  },
);
