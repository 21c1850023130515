import { describe, expect, it } from "vitest";
import { gatewayText, policyText } from "../../src/policy/codes/code-entry.ts";
import { type LastGood, loadIsolated } from "../../src/policy/isolate.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { canon, places, policyFiles, policyOf, serviceOf } from "./policy-files.ts";

const BROKEN = "kind: [";
const PAYMENTS = policyOf("pay", "payments", "stripe");
const ML = `${serviceOf("models", "models.example.com")}---\n${policyOf("learn", "ml", "models")}`;

/** Loads as a running server does: what it remembers crosses a thread. */
function load(texts: Readonly<Record<string, string>>, lastGood: LastGood | null = null) {
  const result = loadIsolated(policyFiles(texts), canon, structuredClone(lastGood));
  return { ...result, policies: result.set?.policies.map(({ scope, name }) => `${scope}/${name}`) ?? null };
}

const good = load({ "payments/pay.yaml": PAYMENTS, "ml/models.yaml": ML });

describe("a running server", () => {
  it("takes a valid directory as validate does", () => {
    const files = policyFiles({ "payments/pay.yaml": PAYMENTS, "ml/models.yaml": ML });
    expect(good.set).toEqual(loadPolicySet(files, canon).set);
    expect(good).toMatchObject({ policies: ["ml/learn", "payments/pay"], stale: [], diagnostics: [] });
  });

  it.each([
    ["not YAML", BROKEN],
    ["a key that is none", PAYMENTS.replace("owner:", "ownre:")],
    ["an unknown service", PAYMENTS.replace("stripe", "strype")],
    ["another namespace's workloads", PAYMENTS.replace("payments/app", "ml/app")],
    ["a document for another namespace", PAYMENTS.replace("{name: pay}", "{name: pay, namespace: ml}")],
    ["a gateway of its own", gatewayText("fallback: allow")],
  ])("keeps a namespace's last good documents: %s", (_what, text) => {
    const next = load({ "payments/pay.yaml": text, "ml/models.yaml": ML.replace("learn", "train") }, good.lastGood);
    expect(next.policies).toEqual(["ml/train", "payments/pay"]);
    expect(next.set?.invalidNamespaces).toEqual([]);
    expect(next.stale).toMatchObject([{ namespace: "payments", keptLastGood: true }]);
    expect(next.stale[0]?.diagnostics).toEqual(next.diagnostics);
    expect(next.diagnostics.length).toBeGreaterThan(0);
  });

  it("denies a namespace that never was valid, and nobody else", () => {
    const next = load({ "payments/pay.yaml": BROKEN, "ml/models.yaml": ML });
    expect(next.policies).toEqual(["ml/learn"]);
    expect(next.set?.invalidNamespaces).toEqual(["payments"]);
    expect(next.stale).toMatchObject([{ namespace: "payments", keptLastGood: false }]);
  });

  it("keeps the last good documents for as long as the namespace stays broken, then takes the new ones", () => {
    const first = load({ "payments/pay.yaml": BROKEN, "ml/models.yaml": ML }, good.lastGood);
    const second = load({ "payments/pay.yaml": `${BROKEN} `, "ml/models.yaml": ML }, first.lastGood);
    expect(second.policies).toEqual(["ml/learn", "payments/pay"]);
    const mended = load({ "payments/pay.yaml": policyOf("refund", "payments", "stripe") }, second.lastGood);
    expect(mended).toMatchObject({ policies: ["payments/refund"], stale: [] });
    const again = load({ "payments/pay.yaml": BROKEN }, mended.lastGood);
    expect(again.policies).toEqual(["payments/refund"]);
  });

  it("forgets a namespace whose documents are gone", () => {
    const gone = load({ "ml/models.yaml": ML }, good.lastGood);
    expect(gone).toMatchObject({ policies: ["ml/learn"], stale: [] });
    const back = load({ "payments/pay.yaml": BROKEN, "ml/models.yaml": ML }, gone.lastGood);
    expect(back.set?.invalidNamespaces).toEqual(["payments"]);
  });

  it("does not bring back what the security team took away when a tenant breaks its own directory", () => {
    const top = policyOf("granted", "payments", "stripe").replace(
      "{name: granted}",
      "{name: granted, namespace: payments}",
    );
    const before = load({ "top.yaml": top, "payments/pay.yaml": PAYMENTS });
    expect(before.policies).toEqual(["payments/granted", "payments/pay"]);
    const revoked = load({ "payments/pay.yaml": BROKEN }, before.lastGood);
    expect(revoked.policies).toEqual(["payments/pay"]);
    const stillBroken = load({ "payments/pay.yaml": `${BROKEN} ` }, revoked.lastGood);
    expect(stillBroken.policies).toEqual(["payments/pay"]);
  });

  it("takes no part of a broken namespace's new documents", () => {
    const texts = { "payments/a.yaml": policyOf("more", "payments", "stripe"), "payments/pay.yaml": BROKEN };
    expect(load(texts, good.lastGood).policies).toEqual(["payments/pay"]);
    expect(load(texts).policies).toEqual([]);
  });

  it("refuses a namespace whose last good documents do not fit the root of now", () => {
    const next = load(
      { "services.yaml": serviceOf("adyen", "api.adyen.com"), "payments/pay.yaml": BROKEN, "ml/models.yaml": ML },
      good.lastGood,
    );
    expect(next.policies).toEqual(["ml/learn"]);
    expect(next.set?.invalidNamespaces).toEqual(["payments"]);
    expect(next.set?.services.map(({ name }) => name)).toEqual(["adyen", "models"]);
  });

  it("gives a host to the root when a namespace claims it too, also with old documents", () => {
    const rooted = serviceOf("shared-models", "models.example.com");
    const claimed = load({ "root.yaml": rooted, "payments/pay.yaml": PAYMENTS, "ml/models.yaml": ML }, good.lastGood);
    expect(claimed.policies).toEqual(["payments/pay"]);
    expect(claimed.set?.invalidNamespaces).toEqual(["ml"]);
    expect(claimed.set?.services.map(({ name }) => name)).toEqual(["shared-models", "stripe"]);
    expect(places(claimed.diagnostics)).toContainEqual(expect.stringMatching(/^host-claimed-twice ml\/models\.yaml:/));
  });

  it("gives a host claimed by two namespaces to the first; the second keeps what it had", () => {
    const rival = `${serviceOf("rival", "models.example.com")}---\n${policyOf("pay", "payments", "stripe")}`;
    const next = load({ "payments/pay.yaml": rival, "ml/models.yaml": ML }, good.lastGood);
    expect(next.stale).toMatchObject([{ namespace: "payments", keptLastGood: true }]);
    expect(next.set?.services.map(({ scope, name }) => `${scope}/${name}`)).toEqual(["/stripe", "ml/models"]);
  });

  it.each([
    ["a broken root file", { "services.yaml": BROKEN }],
    [
      "a root policy that aims at nothing",
      { "root.yaml": policyText("- {name: a}", "{name: r, namespace: istio-egress}") },
    ],
    ["no gateway", { "gateway.yaml": "" }],
    ["two gateways", { "second.yaml": gatewayText("{}") }],
    ["a broken file in the directory of the root namespace", { "istio-egress/a.yaml": BROKEN }],
  ])("takes nothing new with %s, and remembers what it had", (_what, texts) => {
    const next = load({ ...texts, "payments/pay.yaml": PAYMENTS }, good.lastGood);
    expect(next.set).toBeNull();
    expect(next.lastGood).toEqual(structuredClone(good.lastGood));
    expect(next.diagnostics.length).toBeGreaterThan(0);
  });

  it("holds a root file's mistake about a namespace against that namespace only", () => {
    const text = policyText("- {name: a, from: [{namespace: ml}], to: [{service: none}]}", "{name: a, namespace: ml}");
    const next = load({ "top.yaml": text, "payments/pay.yaml": PAYMENTS });
    expect(next).toMatchObject({ policies: ["payments/pay"], stale: [{ namespace: "ml", keptLastGood: false }] });
  });

  it("does not read tests", () => {
    expect(load({ "payments/pay.test.yaml": BROKEN, "payments/pay.yaml": PAYMENTS })).toMatchObject({
      policies: ["payments/pay"],
      diagnostics: [],
    });
  });

  it("is not confused by a namespace that is named as something every object has", () => {
    const next = load({ "constructor/a.yaml": BROKEN, "payments/pay.yaml": PAYMENTS }, good.lastGood);
    expect(next.set?.invalidNamespaces).toEqual(["constructor"]);
    expect(next.policies).toEqual(["payments/pay"]);
  });
});
