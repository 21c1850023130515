import { type CodeEntry, groupText, policyText, rootPolicyText, ruleText, serviceText } from "./code-entry.ts";

const from = (selector: string): string =>
  rootPolicyText(`- name: charge\n  from: [${selector}]\n  to: [{service: stripe}]`);

/** What can be wrong with services, and with whom rules mean. */
export const TARGET_CODES = {
  "invalid-host": {
    title: "host is not in canonical form",
    explanation:
      "A host is lower case, punycode, without trailing dot, port or scheme; an IPv6 address stands in brackets. `*.example.com` means one or more labels more; `*`, `*.com` and wildcards over public suffixes are refused.",
    severity: "error",
    bad: {
      files: { "bank.yaml": serviceText("bank", "hosts: [▸API.bank.example.]\nports: [{number: 443, protocol: TLS}]") },
    },
    good: {
      files: { "bank.yaml": serviceText("bank", "hosts: [api.bank.example]\nports: [{number: 443, protocol: TLS}]") },
    },
  },
  "guarded-host": {
    title: "host is guarded",
    explanation:
      "Addresses, single-label and cluster-local names, `localhost` and metadata names can never be reached, unless a root service with `internal: true` lists them literally.",
    severity: "error",
    bad: {
      files: {
        "vault.yaml": serviceText(
          "vault",
          "hosts: [▸vault.security.svc.cluster.local]\nports: [{number: 8200, protocol: HTTP}]",
        ),
      },
    },
    good: {
      files: {
        "vault.yaml": serviceText(
          "vault",
          "internal: true\nhosts: [vault.security.svc.cluster.local]\nports: [{number: 8200, protocol: HTTP}]",
        ),
      },
    },
  },
  "host-claimed-twice": {
    title: "host and port have an owner already",
    explanation:
      "One service owns a (host, port) in the whole set, so that it is clear whose rules count. The root ranks first, then namespaces by name; who comes later is refused. Use the other service, or another port.",
    severity: "error",
    bad: {
      files: {
        "payments/stripe.yaml": serviceText(
          "own-stripe",
          "hosts: [▸api.stripe.com]\nports: [{number: 443, protocol: TLS}]",
        ),
      },
    },
    good: {
      files: {
        "payments/stripe.yaml": serviceText(
          "own-stripe",
          "hosts: [api.stripe.com]\nports: [{number: 8443, protocol: TLS}]",
        ),
      },
    },
  },
  "duplicate-entry": {
    title: "entry is listed twice",
    explanation:
      "A host or a port stands once in a service; with two protocols for one port nobody could say which one counts.",
    severity: "error",
    bad: {
      files: {
        "bank.yaml": serviceText(
          "bank",
          "hosts: [api.bank.example]\nports:\n- {number: 443, protocol: TLS}\n- {number: ▸443, protocol: HTTP}",
        ),
      },
    },
    good: {
      files: {
        "bank.yaml": serviceText(
          "bank",
          "hosts: [api.bank.example]\nports:\n- {number: 443, protocol: TLS}\n- {number: 80, protocol: HTTP}",
        ),
      },
    },
  },
  "server-first-port": {
    title: "server speaks first on this port",
    explanation:
      "With SSH, SMTP, FTP, MySQL and their like the server speaks first. The gateway dials only after the client has sent something, so such a connection may wait for ever.",
    severity: "warning",
    bad: {
      files: { "sftp.yaml": serviceText("sftp", "hosts: [sftp.bank.example]\nports: [{number: ▸22, protocol: TCP}]") },
    },
    good: {
      files: { "ldap.yaml": serviceText("ldap", "hosts: [ldap.bank.example]\nports: [{number: 636, protocol: TCP}]") },
    },
  },
  "invalid-address": {
    title: "address is not an IP range",
    explanation: "`addresses` lists IP addresses and CIDR ranges of a TCP service.",
    severity: "error",
    bad: {
      files: {
        "ldap.yaml": serviceText(
          "ldap",
          "hosts: [ldap.bank.example]\nports: [{number: 636, protocol: TCP}]\naddresses: [▸192.0.2.0/33]",
        ),
      },
    },
    good: {
      files: {
        "ldap.yaml": serviceText(
          "ldap",
          "hosts: [ldap.bank.example]\nports: [{number: 636, protocol: TCP}]\naddresses: [192.0.2.0/24]",
        ),
      },
    },
  },
  "split-weights": {
    title: "weights do not add up to 100",
    explanation: "The weights of a `split` are percentages and add up to 100.",
    severity: "error",
    bad: {
      files: {
        "bank.yaml": serviceText(
          "bank",
          "hosts: [api.bank.example]\nports: [{number: 80, protocol: HTTP}]\nsplit: ▸[{service: bank, weight: 90}, {service: stripe, weight: 20}]",
        ),
      },
    },
    good: {
      files: {
        "bank.yaml": serviceText(
          "bank",
          "hosts: [api.bank.example]\nports: [{number: 80, protocol: HTTP}]\nsplit: [{service: bank, weight: 80}, {service: stripe, weight: 20}]",
        ),
      },
    },
  },
  "route-not-allowed": {
    title: "traffic is sent on to where its workloads may not go",
    explanation:
      "What a service mirrors or splits to another is not decided again on its way. So whoever is allowed to the one is allowed to the other, on the same ports, at least as long.",
    severity: "error",
    bad: {
      files: {
        "bank.yaml": serviceText(
          "bank",
          "hosts: [api.bank.example]\nports: [{number: 80, protocol: HTTP}]\nmirror: {service: stripe, percent: 5}",
        ),
        "payments/checkout.yaml": policyText(
          "- name: charge\n  from: [{serviceAccount: payments/checkout}]\n  to: ▸[{service: bank}]",
        ),
      },
    },
    good: {
      files: {
        "bank.yaml": serviceText(
          "bank",
          "hosts: [api.bank.example]\nports: [{number: 80, protocol: HTTP}]\nmirror: {service: stripe, percent: 5}",
        ),
        "payments/checkout.yaml": ruleText("to: [{service: bank}, {service: stripe}]"),
      },
    },
  },
  "selector-keys": {
    title: "selector has not exactly one key",
    explanation:
      "A selector has one of `group`, `serviceAccount`, `namespace`, `spiffe` and `trustDomain`. Two in one map would read as both at once; write two selectors.",
    severity: "error",
    bad: { files: { "company.yaml": from("▸{serviceAccount: payments/checkout, namespace: payments}") } },
    good: { files: { "company.yaml": from("{serviceAccount: payments/checkout}, {namespace: payments}") } },
  },
  "invalid-selector": {
    title: "selector is not well-formed",
    explanation:
      "`serviceAccount` is `namespace/name`; `spiffe` is a SPIFFE ID, or one with `/*` at its end (one or more segments); a `*` stands nowhere else.",
    severity: "error",
    bad: { files: { "company.yaml": from("{spiffe: ▸spiffe://partner.example/*/agent}") } },
    good: { files: { "company.yaml": from("{spiffe: spiffe://partner.example/agents/*}") } },
  },
  "unknown-trust-domain": {
    title: "trust domain is not listed",
    explanation:
      "A selector names the mesh's own trust domain, an alias of it, or a federated one: all are listed in the EgressGateway.",
    severity: "error",
    bad: { files: { "company.yaml": from("{trustDomain: ▸partner.exampel}") } },
    good: { files: { "company.yaml": from("{trustDomain: partner.example}") } },
  },
  "unknown-group": {
    title: "group does not exist",
    explanation: "A policy sees the groups of its namespace and the global ones.",
    severity: "error",
    bad: {
      files: {
        "company.yaml": from("{group: ▸card-handler}"),
        "groups.yaml": groupText("card-handlers", "members: [{namespace: payments}]"),
      },
    },
    good: {
      files: {
        "company.yaml": from("{group: card-handlers}"),
        "groups.yaml": groupText("card-handlers", "members: [{namespace: payments}]"),
      },
    },
  },
  "group-narrowed": {
    title: "group means fewer workloads here",
    explanation:
      "A namespace's policy speaks only for its own workloads. Of a group that holds others too, only those count.",
    severity: "warning",
    bad: {
      files: {
        "groups.yaml": groupText("sellers", "members: [{namespace: payments}, {namespace: shop}]"),
        "payments/checkout.yaml": policyText("- name: charge\n  from: [{group: ▸sellers}]\n  to: [{service: stripe}]"),
      },
    },
    good: {
      files: {
        "groups.yaml": groupText("sellers", "members: [{namespace: payments}, {namespace: shop}]"),
        "payments/checkout.yaml": policyText(
          "- name: charge\n  from: [{namespace: payments}]\n  to: [{service: stripe}]",
        ),
      },
    },
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;
