import {
  type CodeEntry,
  gatewayText,
  policyText,
  rootPolicyText,
  ruleText,
  serviceText,
  testText,
} from "./code-entry.ts";

const GOOD = { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}]") } };
const GATEWAY = { files: { "gateway.yaml": gatewayText("fallback: deny") }, bare: true };
const RULE = "- name: charge\n  from: [{serviceAccount: payments/checkout}]\n  to: [{service: stripe}]";
const CASE = "- {name: may charge, from: payments/checkout, to: GET http://api.stripe.com/, expect: deny}";

/** What can be wrong with where a document lies, with the gateway, and with what a namespace may say. */
export const PLACE_CODES = {
  "no-gateway": {
    title: "policy set has no gateway",
    explanation:
      "A policy set has exactly one EgressGateway. It lies in the policy directory itself, and its namespace is the root namespace.",
    severity: "error",
    bad: {
      files: {
        "services.yaml": `▸${serviceText("stripe", "hosts: [api.stripe.com]\nports: [{number: 443, protocol: TLS}]")}`,
      },
      bare: true,
    },
    good: GATEWAY,
  },
  "second-gateway": {
    title: "policy set has two gateways",
    explanation: "A policy set has exactly one EgressGateway. For another gateway keep another policy set.",
    severity: "error",
    bad: { files: { "more.yaml": gatewayText("fallback: deny").replace("kind: ", "kind: ▸") } },
    good: GATEWAY,
  },
  "gateway-not-root": {
    title: "gateway lies in a namespace's directory",
    explanation:
      "Who owns the EgressGateway owns the root namespace. So it lies in the policy directory itself, never below it.",
    severity: "error",
    bad: {
      files: {
        "payments/gateway.yaml": gatewayText("fallback: allow")
          .replace("kind: ", "kind: ▸")
          .replace("istio-egress", "payments"),
      },
    },
    good: GATEWAY,
  },
  "missing-namespace": {
    title: "namespace is not named",
    explanation:
      "At the top of the policy directory a policy and the gateway name their namespace: a root policy speaks for everyone, and must say so.",
    severity: "error",
    bad: { files: { "checkout.yaml": policyText(RULE, "▸{name: checkout}") } },
    good: { files: { "checkout.yaml": policyText(RULE, "{name: checkout, namespace: payments}") } },
  },
  "namespace-mismatch": {
    title: "document speaks for a namespace that is not its directory's",
    explanation:
      "Where a file lies decides whose it is. A file in `payments/` speaks for `payments` only; leave `metadata.namespace` out, or move the file.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": policyText(RULE, "{name: checkout, namespace: ▸shop}") } },
    good: { files: { "payments/checkout.yaml": policyText(RULE, "{name: checkout, namespace: payments}") } },
  },
  "root-only": {
    title: "only the root namespace may say this",
    explanation:
      "Fallbacks, mirrors, splits, addresses, `internal`, and TLS other than verified origination of a service's own hosts change how traffic leaves for more than one team.",
    severity: "error",
    bad: {
      files: {
        "payments/vault.yaml": serviceText(
          "bank",
          "hosts: [api.bank.example]\nports: [{number: 443, protocol: TLS}]\ninternal: ▸true",
        ),
      },
    },
    good: {
      files: {
        "vault.yaml": serviceText(
          "bank",
          "hosts: [api.bank.example]\nports: [{number: 443, protocol: TLS}]\ninternal: true",
        ),
      },
    },
  },
  "outside-namespace": {
    title: "policy speaks for workloads of others",
    explanation: "A namespace's policies and groups speak only for its own workloads in the mesh's own trust domain.",
    severity: "error",
    bad: {
      files: {
        "payments/checkout.yaml": policyText(
          "- name: charge\n  from: [▸{serviceAccount: shop/web}]\n  to: [{service: stripe}]",
        ),
      },
    },
    good: GOOD,
  },
  "test-file": {
    title: "test and policy in the wrong kind of file",
    explanation:
      "A DecisionTest lives in `*.test.yaml` or `*.test.yml`, and such a file holds nothing else: tests never change what is loaded.",
    severity: "error",
    bad: { files: { "payments/tests.yaml": testText(CASE).replace("kind: ", "kind: ▸") } },
    good: { files: { "payments/checkout.test.yaml": testText(CASE) } },
  },
  "invalid-request": {
    title: "test case is not a request",
    explanation:
      "`from` is a SPIFFE ID or `namespace/serviceaccount`; `to` is `METHOD http://host[:port]/path`, `TLS host[:port]` or `TCP host:port`.",
    severity: "error",
    bad: {
      files: {
        "payments/checkout.test.yaml": testText(
          "- {name: may charge, from: payments/checkout, to: ▸GET api.stripe.com/, expect: deny}",
        ),
      },
    },
    good: { files: { "payments/checkout.test.yaml": testText(CASE) } },
  },
  "invalid-trust-domain": {
    title: "trust domain is not well-formed",
    explanation: "A trust domain has lower-case letters, digits, `.`, `-` and `_`, at most 255, without `spiffe://`.",
    severity: "error",
    bad: {
      files: {
        "gateway.yaml": gatewayText(
          "trustDomains: [cluster.local]\nfederatedTrustDomains: [▸spiffe://partner.example]",
        ),
      },
      bare: true,
    },
    good: {
      files: { "gateway.yaml": gatewayText("trustDomains: [cluster.local]\nfederatedTrustDomains: [partner.example]") },
      bare: true,
    },
  },
  "duplicate-trust-domain": {
    title: "trust domain is listed twice",
    explanation: "An alias means the mesh's own workloads, a federated domain means a partner's: none can be both.",
    severity: "error",
    bad: {
      files: {
        "gateway.yaml": gatewayText(
          "trustDomains: [cluster.local, partner.example]\nfederatedTrustDomains: [▸partner.example]",
        ),
      },
      bare: true,
    },
    good: {
      files: { "gateway.yaml": gatewayText("trustDomains: [cluster.local]\nfederatedTrustDomains: [partner.example]") },
      bare: true,
    },
  },
  "fail-open": {
    title: "gateway lets traffic pass without an authorizer",
    explanation:
      "With `failOpen: true` everything passes while no authorizer answers. It is allowed, and always pointed out.",
    severity: "warning",
    bad: {
      files: { "gateway.yaml": gatewayText("authorizer: {service: sallyport.sallyport-system, failOpen: ▸true}") },
      bare: true,
    },
    good: { files: { "gateway.yaml": gatewayText("authorizer: {service: sallyport.sallyport-system}") }, bare: true },
  },
  "seat-needs-authorizer": {
    title: "gateway decides itself, but has no authorizer",
    explanation:
      "With `seat: gateway` the filter in the gateway gets policies, leases and answers from an authorizer, and tells it what it decided.",
    severity: "error",
    bad: { files: { "gateway.yaml": gatewayText("seat: ▸gateway") }, bare: true },
    good: {
      files: {
        "gateway.yaml": gatewayText("seat: gateway\nauthorizer: {service: sallyport.sallyport-system}"),
      },
      bare: true,
    },
  },
  "invalid-filter-source": {
    title: "filter has no single place that it surely comes from",
    explanation:
      "The filter decides: it comes from one of a file on the gateway, the configuration itself, or an address together with the digest that it must have.",
    severity: "error",
    bad: {
      files: { "gateway.yaml": gatewayText("filter: ▸{url: https://files.example.com/sallyport-filter.wasm}") },
      bare: true,
    },
    good: { files: { "gateway.yaml": gatewayText("filter: {inline: true}") }, bare: true },
  },
  "invalid-public-key": {
    title: "public key cannot verify what gateways are given",
    explanation:
      "Policies and leases are verified with ECDSA on P-256. The key is the PEM that `openssl pkey -in bundle.key -pubout` prints, and never the private one.",
    severity: "error",
    bad: { files: { "gateway.yaml": gatewayText("filter: {publicKeys: [▸none]}") }, bare: true },
    good: {
      files: {
        "gateway.yaml": gatewayText(`filter:
  publicKeys:
    - |
      -----BEGIN PUBLIC KEY-----
      MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEl9mNgzO0quDE1p8ro2fcZlSvlMN4
      0uwTtWQhqqBl5vV9/IzRCohzR0b5AYZ1RUeJ2dnEzslskifb+TrKgYlASA==
      -----END PUBLIC KEY-----`),
      },
      bare: true,
    },
  },
  "invalid-duration": {
    title: "duration is not well-formed",
    explanation:
      "A duration is a whole number with a unit, as `250ms`, `5s`, `1m30s` or `1h`. How long the gateway waits for an answer is more than nothing.",
    severity: "error",
    bad: {
      files: { "gateway.yaml": gatewayText('authorizer: {service: sallyport.sallyport-system, timeout: ▸"250"}') },
      bare: true,
    },
    good: {
      files: { "gateway.yaml": gatewayText("authorizer: {service: sallyport.sallyport-system, timeout: 250ms}") },
      bare: true,
    },
  },
  "invalid-instant": {
    title: "instant is not well-formed",
    explanation: "An instant is RFC 3339 with an offset and at most milliseconds.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}]\nexpires: ▸2027-03-31") } },
    good: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}]\nexpires: 2027-03-31T00:00:00Z") } },
  },
  "empty-window": {
    title: "rule never holds",
    explanation: "A rule holds from `notBefore` until just before `expires`; here that is never.",
    severity: "error",
    bad: {
      files: {
        "payments/checkout.yaml": ruleText(
          "to: [{service: stripe}]\nnotBefore: 2027-03-31T00:00:00Z\nexpires: ▸2027-03-01T00:00:00Z",
        ),
      },
    },
    good: {
      files: {
        "payments/checkout.yaml": ruleText(
          "to: [{service: stripe}]\nnotBefore: 2027-03-01T00:00:00Z\nexpires: 2027-03-31T00:00:00Z",
        ),
      },
    },
  },
  "deny-without-reason": {
    title: "deny says no reason",
    explanation: "Whoever a deny stops will ask why. Its `reason` is in the answer and in the audit record.",
    severity: "error",
    bad: { files: { "company.yaml": rootPolicyText("- ▸name: no-stripe\n  effect: deny\n  to: [{service: stripe}]") } },
    good: {
      files: {
        "company.yaml": rootPolicyText(
          "- name: no-stripe\n  effect: deny\n  to: [{service: stripe}]\n  reason: the contract has ended",
        ),
      },
    },
  },
  "deny-upgrades": {
    title: "deny names upgrades",
    explanation:
      "A deny matches whether or not a request upgrades. `upgrades` in it would look like a condition and be none.",
    severity: "error",
    bad: {
      files: {
        "company.yaml": rootPolicyText(
          "- name: no-stripe\n  effect: deny\n  to: [{service: stripe}]\n  upgrades: ▸[websocket]\n  reason: the contract has ended",
        ),
      },
    },
    good: {
      files: {
        "company.yaml": rootPolicyText(
          "- name: no-stripe\n  effect: deny\n  to: [{service: stripe}]\n  reason: the contract has ended",
        ),
      },
    },
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;
