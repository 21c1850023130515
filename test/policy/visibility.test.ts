import { expect, it } from "vitest";
import { gatewayText, groupText, policyText, serviceText } from "../../src/policy/codes/code-entry.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { namespacesOf } from "../../src/policy/visibility.ts";
import { canon, policyFiles } from "./policy-files.ts";

const RULES = "- name: charge\n  from: [{serviceAccount: payments/checkout}]\n  to: [{service: stripe}]";

/** Where the global service and the one of `payments` are visible. */
function visible(gateway: string, more: Readonly<Record<string, string>> = {}) {
  const files = policyFiles({
    "gateway.yaml": gatewayText(gateway),
    "payments/own.yaml": serviceText("own", "hosts: [own.example.com]\nports: [{number: 443, protocol: TLS}]"),
    "payments/checkout.yaml": policyText(RULES),
    ...more,
  });
  const { set, diagnostics } = loadPolicySet(files, canon);
  if (set === null) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return Object.fromEntries(set.services.map((service) => [service.name, namespacesOf(set, service)]));
}

it("is where an enforced allow lets somebody reach it", () => {
  expect(visible("fallback: deny")).toEqual({ stripe: ["payments"], own: [] });
});

it("is everywhere it can be under Gateway, when the fallback lets pass what no rule allows", () => {
  expect(visible("fallback: report")).toEqual({ stripe: null, own: ["payments"] });
  expect(visible("fallback: allow")).toEqual({ stripe: null, own: ["payments"] });
});

it("is not where a fallback would let pass that nobody asks for", () => {
  expect(visible("securityModel: RegistryOnly\nfallback: report")).toEqual({ stripe: ["payments"], own: [] });
});

it("is in the namespaces of a group whose fallback lets pass", () => {
  const members = "members: [{serviceAccount: ml/notebook}, {namespace: payments}]";
  const lenient = { "groups.yaml": groupText("moving-in", `${members}\nfallback: report`) };
  expect(visible("fallback: deny", lenient)).toEqual({ stripe: ["ml", "payments"], own: ["payments"] });
  const strict = { "groups.yaml": groupText("moving-in", `${members}\nfallback: deny`) };
  expect(visible("fallback: deny", strict)).toEqual({ stripe: ["payments"], own: [] });
});
