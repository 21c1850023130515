import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { BASE_FILES } from "../../src/policy/codes/code-entry.ts";
import type { Diagnostic } from "../../src/policy/diagnostic.ts";
import type { PolicyFile } from "../../src/policy/parse-cache.ts";

/** The engine's own reading of hosts and identities. */
export const canon = createCanonicaliser(readEngineModule());

/** Texts by path as policy files, beside a gateway (root namespace `istio-egress`) and the global service `stripe`. */
export function policyFiles(texts: Readonly<Record<string, string>>): PolicyFile[] {
  return Object.entries({ ...BASE_FILES, ...texts }).map(([path, text]) => ({ path, bytes: Buffer.from(text) }));
}

/** `code file:line:column` of each. */
export function places(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map(({ code, at }) => `${code} ${at.file}:${at.line}:${at.column}`);
}

/** A service of a namespace's own directory. */
export function serviceOf(name: string, host: string, port = 443): string {
  return `apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: ${name}}
spec: {hosts: ["${host}"], ports: [{number: ${port}, protocol: TLS}]}
`;
}

/** A policy of a namespace's own directory: one allow of its workload `app`. */
export function policyOf(name: string, namespace: string, service: string): string {
  return `apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: ${name}}
spec:
  owner: team@example.com
  rules:
  - {name: call, from: [{serviceAccount: ${namespace}/app}], to: [{service: ${service}}]}
`;
}
