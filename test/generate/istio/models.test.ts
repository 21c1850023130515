import { readdirSync, readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { renderFile } from "../../../src/generate/render-file.ts";
import { documentsOf, generate, type Loose, meshConfigOf, meshSet, patchesOf, smallSet } from "./istio-objects.ts";

/**
 * What Istio's API server accepts, from the CRDs of istio/istio at 2026-08-27 without their prose. Validation rules in CEL and the
 * webhook are asked by `npm run test:mesh`.
 */
const SCHEMAS: Record<string, Loose> = JSON.parse(readFileSync(new URL("crd-schemas.json", import.meta.url), "utf8"));
const ajv = new Ajv({
  strict: false,
  formats: { int32: true, int64: true, uint32: true, double: true, float: true, "date-time": true, string: true },
});
const validators = new Map(Object.entries(SCHEMAS).map(([key, schema]) => [key, ajv.compile(closed(schema))]));

/** The API server refuses fields that a schema does not have. */
function closed(schema: Loose): Loose {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const inner = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      ["oneOf", "anyOf", "not", "allOf"].includes(key) ? value : closed(value),
    ]),
  );
  const open =
    inner.properties === undefined ||
    inner.additionalProperties !== undefined ||
    inner["x-kubernetes-preserve-unknown-fields"] === true;
  return open ? inner : { ...inner, additionalProperties: false };
}

const SETS = readdirSync(new URL("../../mesh/sets", import.meta.url))
  .filter((name) => name !== "two-tenants")
  .sort();

describe("every object is one that Istio's API server takes", () => {
  it.each(SETS)("%s", (name) => {
    const objects = generate(meshSet(name))
      .files.flatMap(({ documents }) => documents as readonly Loose[])
      .filter(({ apiVersion }) => apiVersion?.includes("istio.io"));
    expect(objects.length).toBeGreaterThan(0);
    for (const { apiVersion, kind, metadata, spec } of objects) {
      const validate = validators.get(`${apiVersion}/${kind}`);
      expect(validate, `${apiVersion}/${kind}`).toBeDefined();
      expect(validate?.(spec), `${kind} ${metadata.name}: ${JSON.stringify(validate?.errors)}`).toBe(true);
      expect(metadata.name).toMatch(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/);
    }
  });
});

describe("the three security models", () => {
  it("AllowAny: the registry, the TLS that the policies ask for, and a warning that nothing is enforced", () => {
    const generated = generate(meshSet("allow-any"));
    expect(generated.notes.map(({ code }) => code)).toEqual(["model-enforces-nothing"]);
    expect(
      documentsOf(generated, "Gateway", "AuthorizationPolicy", "EnvoyFilter", "Sidecar", "VirtualService"),
    ).toEqual([]);
    expect(meshConfigOf(generated).outboundTrafficPolicy).toEqual({ mode: "ALLOW_ANY" });
    expect(documentsOf(generated, "DestinationRule")[0].spec.trafficPolicy.portLevelSettings[0].tls).toMatchObject({
      sni: "api.example.com",
      subjectAltNames: ["api.example.com"],
    });
  });

  it("RegistryOnly: each namespace's sidecars know what some rule lets it reach, and a warning where a rule is narrower", () => {
    const generated = generate(meshSet("registry-only"));
    expect(
      documentsOf(generated, "Sidecar").map(({ metadata, spec }) => [
        metadata.namespace,
        spec.egress[0].hosts,
        spec.outboundTrafficPolicy.mode,
      ]),
    ).toEqual([
      ["depot", ["./*", "istio-egress/tls.example.com", "istio-system/*"], "REGISTRY_ONLY"],
      ["shop", ["./*", "istio-egress/api.example.com", "istio-system/*"], "REGISTRY_ONLY"],
    ]);
    expect(generated.notes).toEqual([]);
    const service = "{hosts: [a.example.com], ports: [{number: 80, protocol: HTTP}], tls: {originate: none}}";
    const narrow = smallSet(
      { x: service },
      "[{name: one, from: [{serviceAccount: shop/reader}], to: [{service: x}]}]",
      "{securityModel: RegistryOnly}",
    );
    expect(generate(narrow).notes.map(({ code }) => code)).toEqual(["narrower-than-namespace"]);
  });

  it("Gateway without pods' labels or authorizer: nothing is written", () => {
    const service = "{hosts: [a.example.com], ports: [{number: 443, protocol: TLS}]}";
    const rules = "[{name: one, from: [{namespace: shop}], to: [{service: x}]}]";
    for (const [gateway, codes] of [
      ["{selector: {istio: egressgateway}}", ["no-authorizer"]],
      ["{authorizer: {service: sallyport.sallyport-system}}", ["no-gateway-selector"]],
    ] as const) {
      const { files, notes } = generate(smallSet({ x: service }, rules, gateway));
      expect([files, notes.map(({ code }) => code)]).toEqual([[], codes]);
    }
  });
});

describe("files", () => {
  const service = (host: string) =>
    `{hosts: [${host}], ports: [{number: 80, protocol: HTTP}], tls: {originate: gateway, port: 443}}`;
  const rules = (methods: string) =>
    `[{name: one, from: [{namespace: shop}], to: [{service: x, methods: [${methods}]}]}, {name: two, from: [{namespace: depot}], to: [{service: y}]}]`;
  const texts = (set: ReturnType<typeof smallSet>) =>
    new Map(generate(set).files.map((file) => [file.path, renderFile("istio", file).text]));

  it("the same policies give the same bytes", () => {
    const make = () => texts(smallSet({ x: service("a.example.com"), y: service("b.example.com") }, rules("GET")));
    expect(make()).toEqual(make());
  });

  it("a rule that asks for more of a request changes no file; another host changes its service's and its namespaces'", () => {
    const before = texts(smallSet({ x: service("a.example.com"), y: service("b.example.com") }, rules("GET")));
    expect(texts(smallSet({ x: service("a.example.com"), y: service("b.example.com") }, rules("GET, POST")))).toEqual(
      before,
    );
    const after = texts(smallSet({ x: service("a.example.com"), y: service("c.example.com") }, rules("GET")));
    expect([...after.keys()].filter((path) => after.get(path) !== before.get(path))).toEqual([
      "services/y.yaml",
      "sidecars/depot.yaml",
    ]);
  });

  it("a host whose ports two services own has one object for its routes", () => {
    const both = smallSet(
      {
        x: "{hosts: [a.example.com], ports: [{number: 80, protocol: HTTP}], tls: {originate: gateway}}",
        y: "{hosts: [a.example.com], ports: [{number: 8443, protocol: TLS}]}",
      },
      "[{name: one, from: [{namespace: shop}], to: [{service: x}, {service: y}]}]",
    );
    expect(documentsOf(generate(both), "VirtualService").map(({ spec }) => [spec.hosts, spec.gateways])).toEqual([
      [["a.example.com"], ["mesh", "istio-egress/x", "istio-egress/y"]],
    ]);
  });
});

describe("--native", () => {
  const NATIVE = "{selector: {istio: egressgateway}}";
  const services = {
    x: "{hosts: [a.example.com], ports: [{number: 80, protocol: HTTP}, {number: 443, protocol: TLS}], tls: {originate: gateway, port: 443}}",
  };
  const native = (rules: string, gateway = NATIVE) => generate(smallSet(services, rules, gateway), true);

  it("allows by identity, host and port, without asking anybody", () => {
    const generated = native(
      "[{name: one, from: [{serviceAccount: shop/reader}, {namespace: depot}], to: [{service: x, ports: [80]}]}, {name: two, from: [{namespace: depot}], to: [{service: x, ports: [443]}]}]",
    );
    expect(generated.notes).toEqual([]);
    expect(JSON.stringify(patchesOf(generated))).not.toContain("ext_authz");
    expect(JSON.stringify(patchesOf(generated))).toContain("ON_DOWNSTREAM_DATA");
    expect(meshConfigOf(generated).extensionProviders.map(({ name }: Loose) => name)).toEqual([
      "prometheus",
      "sallyport-egress-log",
    ]);
    expect(documentsOf(generated, "AuthorizationPolicy").map(({ spec }) => [spec.action, spec.rules])).toEqual([
      [
        "ALLOW",
        [
          {
            from: [{ source: { principals: ["cluster.local/ns/depot/sa/*", "cluster.local/ns/shop/sa/reader"] } }],
            to: [{ operation: { ports: ["16129"], hosts: ["a.example.com", "a.example.com:*"] } }],
          },
          {
            from: [{ source: { principals: ["cluster.local/ns/depot/sa/*"] } }],
            to: [{ operation: { ports: ["11395"] } }],
            when: [{ key: "connection.sni", values: ["a.example.com"] }],
          },
        ],
      ],
    ]);
  });

  it("without any allow nothing passes: the ALLOW policy is there and matches nobody", () => {
    const [allow, deny] = documentsOf(
      native("[{name: no, effect: deny, from: [{namespace: shop}], reason: x}]"),
      "AuthorizationPolicy",
    );
    expect([allow.spec.action, allow.spec.rules]).toEqual(["ALLOW", []]);
    expect([deny.spec.action, deny.spec.rules]).toEqual([
      "DENY",
      [{ from: [{ source: { principals: ["cluster.local/ns/shop/sa/*"] } }] }],
    ]);
  });

  it.each([
    ["methods", "[{name: one, from: [{namespace: shop}], to: [{service: x, ports: [80], methods: [GET]}]}]"],
    ["an end", "[{name: one, from: [{namespace: shop}], to: [{service: x}], expires: 2099-01-01T00:00:00Z}]"],
    ["an expression", "[{name: one, from: [{namespace: shop}], to: [{service: x}], when: now.getHours() > 7}]"],
  ])("a rule with %s needs the authorizer: nothing is written", (_, rules) => {
    const { files, notes } = native(rules);
    expect([files, notes.map(({ code, severity }) => [code, severity])]).toEqual([
      [],
      [["native-needs-authorizer", "error"]],
    ]);
  });

  it("so does a fallback", () => {
    const { files, notes } = native(
      "[{name: one, from: [{namespace: shop}], to: [{service: x}]}]",
      "{selector: {istio: egressgateway}, fallback: report}",
    );
    expect([files, notes.map(({ code }) => code)]).toEqual([[], ["native-needs-authorizer"]]);
  });
});
