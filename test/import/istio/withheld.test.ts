import * as fc from "fast-check";
import { expect, it } from "vitest";
import { stringify } from "yaml";
import { importIstio } from "../../../src/import/istio/import.ts";
import { budgetFor, runProperty } from "../../property/budget.ts";
import { deciderOf, OPTIONS, sourceFile } from "../support/decide.ts";
import { type Asked, judgeIstio } from "./judge.ts";
import { meshDraft, meshText } from "./mesh-draft.ts";
import { questionOf, requests } from "./requests.ts";

/** An object that may refuse what it touches, and a naive look at whether that is a request or connection. */
interface Refusing {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly spec: object;
  readonly touches: (asked: Asked) => boolean;
}

const place = fc.record({
  namespace: fc.constantFrom("istio-egress", "istio-system", "one", "two"),
  labels: fc.constantFrom(undefined, { istio: "egressgateway" }, { istio: "ingressgateway" }, { version: "v2" }),
});

function isGateway(namespace: string, labels: Readonly<Record<string, string | undefined>> | undefined): boolean {
  return ["istio-egress", "istio-system"].includes(namespace) && labels?.istio !== "ingressgateway";
}

function isSidecarOf(namespace: string, asked: Asked): boolean {
  return namespace === "istio-system" || namespace === asked.namespace;
}

const envoyFilter: fc.Arbitrary<Refusing> = fc
  .tuple(place, fc.constantFrom("ANY", "GATEWAY", "SIDECAR_OUTBOUND", "SIDECAR_INBOUND"))
  .map(([{ namespace, labels }, context]) => ({
    ...{ apiVersion: "networking.istio.io/v1alpha3", kind: "EnvoyFilter", namespace },
    spec: {
      ...(labels === undefined ? {} : { workloadSelector: { labels } }),
      configPatches: [{ match: { context } }],
    },
    touches: (asked) =>
      (["ANY", "GATEWAY"].includes(context) && isGateway(namespace, labels)) ||
      (["ANY", "SIDECAR_OUTBOUND"].includes(context) && isSidecarOf(namespace, asked)),
  }));

const plugin: fc.Arbitrary<Refusing> = fc
  .tuple(
    place,
    fc.constantFrom("HTTP", "NETWORK", undefined),
    fc.constantFrom("SERVER", "CLIENT", "CLIENT_AND_SERVER", undefined),
  )
  .map(([{ namespace, labels }, type, mode]) => ({
    ...{ apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", namespace },
    spec: {
      ...(labels === undefined ? {} : { selector: { matchLabels: labels } }),
      ...(type === undefined ? {} : { type }),
      ...(mode === undefined ? {} : { match: [{ mode }] }),
    },
    touches: (asked) =>
      (type === "NETWORK" || asked.kind === "http") &&
      (isGateway(namespace, labels) || (mode !== "SERVER" && isSidecarOf(namespace, asked))),
  }));

const requestAuthentication: fc.Arbitrary<Refusing> = place.map(({ namespace, labels }) => ({
  ...{ apiVersion: "security.istio.io/v1", kind: "RequestAuthentication", namespace },
  spec: { ...(labels === undefined ? {} : { selector: { matchLabels: labels } }), jwtRules: [{ issuer: "a" }] },
  touches: ({ kind }) => kind === "http" && isGateway(namespace, labels),
}));

const networkPolicy: fc.Arbitrary<Refusing> = fc
  .tuple(
    place,
    fc.constantFrom<object[]>({ egress: [] }, { egress: [{ ports: [{ port: 53 }] }] }, { policyTypes: ["Ingress"] }),
  )
  .map(([{ namespace }, rules]) => ({
    ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", namespace },
    spec: { podSelector: {}, ...rules },
    touches: (asked) => namespace === "istio-egress" || ("egress" in rules && namespace === asked.namespace),
  }));

const route: fc.Arbitrary<Refusing> = fc
  .constantFrom("api.example.com", "*.example.com", "example.org")
  .map((host) => ({
    ...{ apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute", namespace: "istio-egress" },
    spec: { hostnames: [host], parentRefs: [{ name: "egress" }] },
    touches: (asked) =>
      asked.kind === "http" && (host.startsWith("*") ? asked.host.endsWith(host.slice(1)) : asked.host === host),
  }));

const beside = fc.array(fc.oneof(envoyFilter, plugin, requestAuthentication, networkPolicy, route), {
  minLength: 1,
  maxLength: 2,
});
const budget = budgetFor(100);

it("opens nothing that an object beside may touch", { timeout: budget.timeoutMs }, () => {
  const seen = { decisions: 0, allowed: 0, withheld: 0 };
  let round = 0;
  const property = fc.property(meshDraft(true), beside, (mesh, objects) => {
    round += 1;
    const texts = objects.map(({ apiVersion, kind, namespace, spec }, i) =>
      stringify({ apiVersion, kind, metadata: { name: `beside-${i}`, namespace }, spec }),
    );
    const text = [meshText(mesh), ...texts].join("---\n");
    const ours = deciderOf(importIstio([sourceFile("mesh.yaml", text)], null, OPTIONS));
    for (const asked of requests(round)) {
      const question = questionOf(asked);
      const allowed = ours.allows(question);
      const theirs = judgeIstio(mesh, asked);
      const touched = objects.some((each) => each.touches(asked));
      seen.decisions += 1;
      if (allowed) seen.allowed += 1;
      if (theirs && touched && !allowed) seen.withheld += 1;
      if (allowed && (!theirs || touched)) {
        const why = theirs ? "touched" : "denied";
        throw new Error(`${JSON.stringify(question)}: widened, ${why}\n${text}\n${ours.text}`);
      }
    }
  });
  runProperty(property, budget);
  process.stdout.write(`${JSON.stringify(seen)}\n`);
  expect(seen.allowed).toBeGreaterThan(seen.decisions / 200);
  expect(seen.withheld).toBeGreaterThan(100);
});
