import { describe, expect, it } from "vitest";
import { groupText, policyText, serviceText } from "../../src/policy/codes/code-entry.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { canon, places, policyFiles } from "./policy-files.ts";

const HTTP = "ports: [{number: 80, protocol: HTTP}, {number: 8080, protocol: HTTP}]";
const BANK = serviceText("bank", `hosts: [api.bank.example]\n${HTTP}\nmirror: {service: shadow, percent: 5}`);
const SHADOW = serviceText("shadow", `hosts: [shadow.bank.example]\n${HTTP}`);
const GROUP = groupText("sellers", "members: [{namespace: shop}, {namespace: payments}]");
const CHECKOUT = "from: [{serviceAccount: payments/checkout}]";

function load(rules: string, others: Readonly<Record<string, string>> = {}) {
  const texts = { "a.yaml": `${BANK}---\n${SHADOW}---\n${GROUP}`, "payments/rules.yaml": policyText(rules), ...others };
  return places(loadPolicySet(policyFiles(texts), canon).diagnostics.filter(({ severity }) => severity === "error"));
}

const REFUSED = ["route-not-allowed payments/rules.yaml:9:9"];
const rule = (name: string, lines: string) => `- name: ${name}\n${lines.replace(/^/gm, "  ")}`;
const toBank = rule("bank", `${CHECKOUT}\nto: [{service: bank, ports: [80], methods: [GET]}]`);

describe("who is allowed to a service that mirrors is allowed to the mirror", () => {
  it("or is told", () => {
    expect(load(toBank)).toEqual(REFUSED);
  });

  it.each([
    ["by the service", `${CHECKOUT}\nto: [{service: shadow}]`],
    ["by its hosts", `${CHECKOUT}\nto: [{hosts: [shadow.bank.example]}]`],
    ["on the same port", `${CHECKOUT}\nto: [{service: shadow, ports: [80, 8080]}]`],
    ["under the same conditions", `${CHECKOUT}\nto: [{service: shadow, methods: [GET]}]`],
    ["as one of its namespace's workloads", "from: [{namespace: payments}]\nto: [{service: shadow}]"],
    ["as one below a path", 'from: [{spiffe: "spiffe://cluster.local/ns/payments/sa/*"}]\nto: [{service: shadow}]'],
  ])("%s", (_how, lines) => {
    expect(load(`${toBank}\n${rule("shadow", lines)}`)).toEqual([]);
  });

  it.each([
    ["as another workload", "from: [{serviceAccount: payments/refunds}]\nto: [{service: shadow}]"],
    ["on another port", `${CHECKOUT}\nto: [{service: shadow, ports: [8080]}]`],
    ["under a narrower condition", `${CHECKOUT}\nto: [{service: shadow, methods: [GET], headers: {x-a: [b]}}]`],
    ["for less long", `${CHECKOUT}\nto: [{service: shadow}]\nexpires: 2027-01-01T00:00:00Z`],
    ["later", `${CHECKOUT}\nto: [{service: shadow}]\nnotBefore: 2027-01-01T00:00:00Z`],
    ["under an expression", `${CHECKOUT}\nto: [{service: shadow}]\nwhen: target.port == 80`],
    ["by a deny", `${CHECKOUT}\nto: [{service: shadow}]\neffect: deny\nreason: none`],
  ])("not %s", (_how, lines) => {
    expect(load(`${toBank}\n${rule("shadow", lines)}`)).toEqual(REFUSED);
  });

  it("not by a policy in report mode; and a rule in report mode needs nothing", () => {
    const shadow = policyText(rule("shadow", `${CHECKOUT}\nto: [{service: shadow}]`), "{name: shadow}");
    const staged = (text: string) => text.replace("  owner:", "  mode: report\n  owner:");
    expect(load(toBank, { "payments/shadow.yaml": shadow })).toEqual([]);
    expect(load(toBank, { "payments/shadow.yaml": staged(shadow) })).toEqual(REFUSED);
    expect(load("", { "payments/rules.yaml": staged(policyText(toBank)) })).toEqual([]);
  });

  it("by a root policy too; by another namespace's never, which means fewer workloads by the same group", () => {
    const group = rule("bank", "from: [{group: sellers}]\nto: [{service: bank}]");
    const shadow = rule("shadow", "from: [{group: sellers}]\nto: [{service: shadow}]");
    const root = policyText(shadow, "{name: shadow, namespace: istio-egress}");
    expect(load(group, { "shadow.yaml": root })).toEqual([]);
    expect(load(group, { "shop/shadow.yaml": policyText(shadow) })).toEqual(REFUSED);
    expect(load(group, { "payments/shadow.yaml": policyText(shadow, "{name: shadow}") })).toEqual([]);
  });

  it("has the ports there that it is sent on from", () => {
    const narrow = SHADOW.replace(", {number: 8080, protocol: HTTP}", "");
    const texts = { "a.yaml": `${BANK}---\n${narrow}---\n${GROUP}` };
    const all = rule("bank", `${CHECKOUT}\nto: [{service: bank}, {service: shadow}]`);
    expect(load(all)).toEqual([]);
    expect(load(all, texts)).toEqual(REFUSED);
  });
});

it("a split counts like a mirror, but for the service's own share", () => {
  const split = BANK.replace(/mirror:.*/, "split: [{service: bank, weight: 90}, {service: shadow, weight: 10}]");
  const texts = { "a.yaml": `${split}---\n${SHADOW}---\n${GROUP}` };
  expect(load(toBank, texts)).toEqual(REFUSED);
  expect(load(`${toBank}\n${rule("shadow", `${CHECKOUT}\nto: [{service: shadow}]`)}`, texts)).toEqual([]);
});
