import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { createAsmTarget } from "../../../src/generate/asm/target.ts";
import type { Generated, Target } from "../../../src/generate/draft.ts";
import { loadPolicySet } from "../../../src/policy/load.ts";
import type { PolicySet } from "../../../src/policy/model.ts";
import { canon } from "../../policy/policy-files.ts";

/** Stands for the Istio target: one file that names the services it was given. */
const istio: Target = {
  name: "istio",
  summary: "",
  generate: (set) => ({
    files: [
      {
        path: "all.yaml",
        purpose: "",
        sources: [],
        inputs: null,
        documents: set.services.map(({ name }) => ({ name })),
      },
    ],
    notes: [],
  }),
};

/** Fields, requirements and bounds as Alibaba Cloud's reference of the CRD lists them; no other field exists. */
const port = { type: "integer", minimum: 1, maximum: 65535 };
const closed = (properties: object, required: readonly string[]) => ({
  type: "object",
  additionalProperties: false,
  properties,
  required,
});
const isPolicy = new Ajv().compile(
  closed(
    {
      apiVersion: { const: "istio.alibabacloud.com/v1beta1" },
      kind: { const: "ASMEgressTrafficPolicy" },
      metadata: {
        type: "object",
        properties: { namespace: { const: "istio-egress" } },
        required: ["name", "namespace"],
      },
      spec: closed(
        {
          byEgressGateway: closed({ name: { type: "string" } }, ["name"]),
          egressRules: {
            type: "array",
            minItems: 1,
            items: closed(
              {
                name: { type: "string" },
                from: {
                  type: "array",
                  minItems: 1,
                  items: closed({ namespace: { type: "string" }, workloadSelector: { type: "object" } }, ["namespace"]),
                },
                to: {
                  type: "array",
                  minItems: 1,
                  items: closed(
                    {
                      name: { type: "string" },
                      hosts: { type: "array", minItems: 1, maxItems: 50, items: { type: "string" } },
                      port: closed(
                        {
                          name: { type: "string" },
                          number: port,
                          protocol: { enum: ["HTTP", "HTTPS", "GRPC", "HTTP2", "MONGO", "TCP", "TLS"] },
                        },
                        ["name", "number", "protocol"],
                      ),
                      byEgressGateway: closed({ port }, ["port"]),
                      httpsUpgrade: closed({ enabled: { type: "boolean" }, port }, ["enabled", "port"]),
                    },
                    ["name", "hosts", "port"],
                  ),
                },
              },
              ["from", "to"],
            ),
          },
        },
        ["byEgressGateway", "egressRules"],
      ),
    },
    ["apiVersion", "kind", "metadata", "spec"],
  ),
);

function load(services: string, gateway = "{selector: {istio: egressgateway}}", namespace = "istio-egress"): PolicySet {
  const names = [...services.matchAll(/name: ([a-z]+)/g)].map(([, name]) => name);
  const text = `
apiVersion: sallyport.dev/v1alpha1
kind: EgressGateway
metadata: {name: egress, namespace: ${namespace}}
spec: ${gateway}
---
${services}
---
apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: who, namespace: ${namespace}}
spec:
  owner: a@example.com
  rules: [{name: call, from: [{namespace: shop}, {namespace: data}], to: [${names.map((name) => `{service: ${name}}`).join(", ")}]}]
`;
  const { set, diagnostics } = loadPolicySet([{ path: "p.yaml", bytes: Buffer.from(text) }], canon);
  if (set === null) throw new Error(JSON.stringify(diagnostics));
  return set;
}

const service = (name: string, spec: string): string => `
apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: ${name}}
spec: ${spec}
`;

const generate = (set: PolicySet): Generated => createAsmTarget(istio).generate(set, { native: false });

interface EgressTrafficPolicy {
  readonly spec: {
    readonly egressRules: readonly {
      readonly from: readonly object[];
      readonly to: readonly {
        readonly hosts: readonly string[];
        readonly byEgressGateway: { readonly port: number };
      }[];
    }[];
  };
}

describe("a service whose applications speak TLS", () => {
  const set = load(
    service(
      "tls",
      "{hosts: [a.example.com, b.example.com], ports: [{number: 443, protocol: TLS}, {number: 8443, protocol: TLS}]}",
    ),
  );
  const { files, notes } = generate(set);
  const [policy, filter] = (files[0]?.documents ?? []) as [
    EgressTrafficPolicy,
    { readonly spec: { readonly configPatches: readonly object[] } },
  ];
  const targets = policy.spec.egressRules.flatMap(({ to }) => to);

  test("becomes an ASMEgressTrafficPolicy with fields that exist", () => {
    expect(isPolicy(policy), JSON.stringify(isPolicy.errors)).toBe(true);
    expect(isPolicy({ ...policy, spec: { ...policy.spec, tls: {} } })).toBe(false);
    expect(policy.spec.egressRules.map(({ from }) => from)).toEqual([[{ namespace: "data" }, { namespace: "shop" }]]);
  });

  test("hosts never share a `to`, since ASM takes them for one address, nor a port of the gateway", () => {
    expect(targets.map(({ hosts }) => hosts)).toEqual([
      ["a.example.com"],
      ["a.example.com"],
      ["b.example.com"],
      ["b.example.com"],
    ]);
    expect(new Set(targets.map(({ byEgressGateway }) => byEgressGateway.port)).size).toBe(4);
  });

  test("each of its chains tells the authorizer the dialled port and dials after the decision", () => {
    for (const [index, { byEgressGateway }] of targets.entries()) {
      const own = filter.spec.configPatches.filter((patch) =>
        JSON.stringify(patch).includes(`"portNumber":${byEgressGateway.port}`),
      );
      const text = JSON.stringify(own);
      expect(text).toContain(`{"key":"sallyport-port","value":"${index % 2 === 0 ? 443 : 8443}"}`);
      expect(text).toContain(`"upstream_connect_mode":"ON_DOWNSTREAM_DATA"`);
    }
  });

  test("its ports stay when another service comes", () => {
    const more = load(
      `${service("tls", "{hosts: [a.example.com, b.example.com], ports: [{number: 443, protocol: TLS}, {number: 8443, protocol: TLS}]}")}---${service("more", "{hosts: [c.example.com], ports: [{number: 443, protocol: TLS}]}")}`,
    );
    const [after] = (generate(more).files[0]?.documents ?? []) as [EgressTrafficPolicy];
    expect(after.spec.egressRules.flatMap(({ to }) => to.map((each) => each.byEgressGateway.port))).toEqual(
      expect.arrayContaining(targets.map(({ byEgressGateway }) => byEgressGateway.port)),
    );
  });

  test("is not left to Istio as well, and its unseen SNI is said", () => {
    expect(files.find(({ path }) => path === "istio/all.yaml")?.documents).toEqual([]);
    expect(notes.map(({ code }) => code)).toEqual(["inner-sni-unchecked"]);
  });
});

describe("left to Istio's objects, with the reason", () => {
  test.each([
    [
      "an upgrade to HTTPS, whose certificate ASM would not be told to verify",
      "{hosts: [a.example.com], ports: [{number: 80, protocol: HTTP}], tls: {originate: gateway, port: 443}}",
    ],
    ["a wildcard", '{hosts: ["*.example.com"], ports: [{number: 443, protocol: TLS}]}'],
    [
      "TCP, which would open a port to every address",
      "{hosts: [a.example.com], ports: [{number: 5432, protocol: TCP}], addresses: [203.0.113.8/32]}",
    ],
    ["plain HTTP", "{hosts: [a.example.com], ports: [{number: 80, protocol: HTTP}], tls: {originate: none}}"],
  ])("%s", (_, spec) => {
    const { files, notes } = generate(load(service("x", spec)));
    expect(files.map(({ path }) => path)).toEqual(["report.yaml", "istio/all.yaml"]);
    expect(files.at(-1)?.documents).toEqual([{ name: "x" }]);
    expect(notes).toEqual([expect.objectContaining({ code: "not-expressible", severity: "warning" })]);
    expect(JSON.stringify(files[0]?.documents)).toContain("x: ");
  });

  test("everything, in a model without a gateway", () => {
    const set = load(
      service("tls", "{hosts: [a.example.com], ports: [{number: 443, protocol: TLS}]}"),
      "{securityModel: RegistryOnly}",
    );
    expect(generate(set).files.map(({ path }) => path)).toEqual(["report.yaml", "istio/all.yaml"]);
  });
});

test("ASM reads one namespace only: a gateway elsewhere is refused", () => {
  const { files, notes } = generate(
    load(service("x", "{hosts: [a.example.com], ports: [{number: 443, protocol: TLS}]}"), "{}", "elsewhere"),
  );
  expect(files).toEqual([]);
  expect(notes).toEqual([expect.objectContaining({ code: "not-expressible", severity: "error" })]);
});

test("an error of Istio's leaves no file", () => {
  const at = { file: "p.yaml", line: 1, column: 1 };
  const broken: Target = {
    ...istio,
    generate: () => ({
      files: [],
      notes: [{ code: "not-expressible", severity: "error", at, message: "m", fix: "f" }],
    }),
  };
  const set = load(service("tls", "{hosts: [a.example.com], ports: [{number: 443, protocol: TLS}]}"));
  expect(createAsmTarget(broken).generate(set, { native: false }).files).toEqual([]);
});
