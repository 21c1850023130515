import type { Severity } from "../diagnostic.ts";

/**
 * A small set of files. Beside them stand the files of `BASE_FILES`, unless the example brings its own gateway.
 * In a bad example `▸` marks the place that the diagnostic names.
 */
export interface Example {
  /** Null is a file that cannot be read. */
  readonly files: Readonly<Record<string, string | Uint8Array | null>>;
  /** True = the files stand alone. */
  readonly bare?: boolean;
}

/** What a code means, with an example that yields it (and nothing else) and one that does not. */
export interface CodeEntry {
  readonly title: string;
  readonly explanation: string;
  readonly severity: Severity;
  readonly bad: Example;
  readonly good: Example;
}

const API = "apiVersion: sallyport.dev/v1alpha1";

/** The gateway and a service, which the examples build on. */
export const BASE_FILES: Readonly<Record<string, string>> = {
  "gateway.yaml": `${API}
kind: EgressGateway
metadata: {name: egress, namespace: istio-egress}
spec: {federatedTrustDomains: [partner.example]}
`,
  "services.yaml": `${API}
kind: ExternalService
metadata: {name: stripe}
spec:
  hosts: [api.stripe.com]
  ports:
  - {number: 80, protocol: HTTP}
  - {number: 443, protocol: TLS}
`,
};

function indent(text: string, spaces: number): string {
  return text
    .split("\n")
    .map((line) => `${" ".repeat(spaces)}${line}`)
    .join("\n");
}

/** A gateway document with this `spec`. */
export function gatewayText(spec: string): string {
  return `${API}
kind: EgressGateway
metadata: {name: egress, namespace: istio-egress}
spec:
${indent(spec, 2)}
`;
}

/** A service document with this `spec`. */
export function serviceText(name: string, spec: string): string {
  return `${API}
kind: ExternalService
metadata: {name: ${name}}
spec:
${indent(spec, 2)}
`;
}

/** A group document with this `spec`. */
export function groupText(name: string, spec: string): string {
  return `${API}
kind: IdentityGroup
metadata: {name: ${name}}
spec:
${indent(spec, 2)}
`;
}

/** A policy with these rules (a YAML list); `metadata` replaces `{name: checkout}`. */
export function policyText(rules: string, metadata = "{name: checkout}"): string {
  return `${API}
kind: EgressPolicy
metadata: ${metadata}
spec:
  owner: payments@example.com
  rules:
${indent(rules, 2)}
`;
}

/** One allow of `payments/checkout` to `stripe` with these further lines. */
export function ruleText(lines: string): string {
  return policyText(`- name: charge\n  from: [{serviceAccount: payments/checkout}]\n${indent(lines, 2)}`);
}

/** A root policy's text: it names the root namespace. */
export function rootPolicyText(rules: string): string {
  return policyText(rules, "{name: company, namespace: istio-egress}");
}

/** A test document with these cases. */
export function testText(cases: string, now = "2026-11-23T12:00:00Z"): string {
  return `${API}
kind: DecisionTest
metadata: {name: payments}
spec:
  now: ${now}
  cases:
${indent(cases, 2)}
`;
}
