import { type CodeEntry, ruleText } from "./code-entry.ts";

const GOOD = { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}]") } };

/** What can be wrong with the targets and conditions of a rule. */
export const RULE_CODES = {
  "service-or-hosts": {
    title: "target has not exactly one of service and hosts",
    explanation: "A target of a rule is a registered `service`, or some `hosts` of registered services.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText("to: [▸{service: stripe, hosts: [api.stripe.com]}]") } },
    good: { files: { "payments/checkout.yaml": ruleText("to: [{hosts: [api.stripe.com]}]") } },
  },
  "unknown-service": {
    title: "service does not exist",
    explanation: "A document sees the services of its namespace and the global ones.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText("to: [{service: ▸strip}]") } },
    good: GOOD,
  },
  "host-not-registered": {
    title: "host of a rule belongs to no service",
    explanation:
      "The hosts of an allow are covered by a visible service; those of a deny cover, equal or are covered by one. Register the host as an ExternalService first.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText("to: [{hosts: [▸files.stripe.com]}]") } },
    good: { files: { "payments/checkout.yaml": ruleText("to: [{hosts: [api.stripe.com]}]") } },
  },
  "unknown-port": {
    title: "service lacks the port",
    explanation: "`ports` of a rule are what the application dials: ports of the service, never `tls.port`.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe, ports: [▸8443]}]") } },
    good: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe, ports: [443]}]") } },
  },
  "opaque-conditions": {
    title: "condition that nobody can see",
    explanation:
      "On TLS and TCP ports method, path and headers are not visible. Let the application speak HTTP and the gateway originate TLS, or leave the condition out.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe, ports: [443], methods: ▸[GET]}]") } },
    good: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe, ports: [80], methods: [GET]}]") } },
  },
  "opaque-conditions-mixed": {
    title: "condition that cannot be seen on some ports",
    explanation:
      "On the TLS and TCP ports of this target the condition is in doubt: an allow never matches there, a deny always does. Name the `ports` that are meant.",
    severity: "warning",
    bad: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe, methods: ▸[GET]}]") } },
    good: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe, ports: [80], methods: [GET]}]") } },
  },
  "invalid-method": {
    title: "method is not well-formed",
    explanation: "Methods are case-sensitive tokens: `GET`, not `get`. `CONNECT` never passes.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe, ports: [80], methods: [▸get]}]") } },
    good: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe, ports: [80], methods: [GET]}]") } },
  },
  "invalid-path": {
    title: "path pattern is not well-formed",
    explanation:
      "A path is a literal, a template with `{*}` for a whole segment and a last `{**}` for the rest, or a prefix with a trailing `*`. It is written decoded, without a query.",
    severity: "error",
    bad: {
      files: { "payments/checkout.yaml": ruleText('to: [{service: stripe, ports: [80], paths: [▸"/v1/ch{*}"]}]') },
    },
    good: { files: { "payments/checkout.yaml": ruleText('to: [{service: stripe, ports: [80], paths: ["/v1/{*}"]}]') } },
  },
  "invalid-header": {
    title: "header condition is not well-formed",
    explanation:
      "Header names are lower case. A value holds no comma, control character or space around it: a request with such a value is in doubt anyway.",
    severity: "error",
    bad: {
      files: { "payments/checkout.yaml": ruleText("to: [{service: stripe, ports: [80], headers: {X-Team: ▸[a]}}]") },
    },
    good: {
      files: { "payments/checkout.yaml": ruleText("to: [{service: stripe, ports: [80], headers: {x-team: [a]}}]") },
    },
  },
  "invalid-upgrade": {
    title: "upgrade protocol is not well-formed",
    explanation: "Upgrade protocols are lower-case tokens, as `websocket`. `connect` is none.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}]\nupgrades: [▸WebSocket]") } },
    good: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}]\nupgrades: [websocket]") } },
  },
  "expression-syntax": {
    title: "`when` is not CEL",
    explanation: "A `when` is one expression of the Common Expression Language (cel.dev). Text stands in quotes.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}]\nwhen: (target.port == 443▸") } },
    good: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}]\nwhen: target.port == 443") } },
  },
  "expression-unknown-name": {
    title: "`when` reads what there is not",
    explanation:
      "An expression reads the fields of `subject` and `target`, `headers` one by one, and `now`; docs/policy-language.md lists them.",
    severity: "error",
    bad: {
      files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}]\nwhen: target.▸hots == 'api.stripe.com'") },
    },
    good: {
      files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}]\nwhen: target.host == 'api.stripe.com'") },
    },
  },
  "expression-not-allowed": {
    title: "`when` uses what the language leaves out of CEL",
    explanation:
      "Nothing in an expression loops, matches patterns or converts, and what is read of a request can be told without evaluating it: lists and names of headers are written out.",
    severity: "error",
    bad: {
      files: {
        "payments/checkout.yaml": ruleText(
          'to: [{service: stripe, ports: [80]}]\nwhen: ▸headers.exists(h, h == "x-team")',
        ),
      },
    },
    good: {
      files: {
        "payments/checkout.yaml": ruleText("to: [{service: stripe, ports: [80]}]\nwhen: '\"x-team\" in headers'"),
      },
    },
  },
  "expression-type": {
    title: "types in `when` do not fit",
    explanation:
      "Both sides of an operator are of one type, and the whole is true or false. A port is a number, without quotes.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}]\nwhen: ▸target.port == '443'") } },
    good: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}]\nwhen: target.port == 443") } },
  },
  "expression-too-costly": {
    title: "`when` could take too long",
    explanation:
      "What an expression can cost has a bound, counted for the longest request: each character that it looks at 1, with `size` 2, with `contains` 3, or 6 for a long text, each part 40, `*`, `/` and `%` 80 more, the methods of `now` 200, together 8,000. Ask for less, or write conditions as lists.",
    severity: "error",
    bad: {
      files: {
        "payments/checkout.yaml": ruleText(
          "to: [{service: stripe, ports: [80]}]\nwhen: ▸size(target.path + headers.a + headers.b + headers.c) > 99",
        ),
      },
    },
    good: {
      files: {
        "payments/checkout.yaml": ruleText("to: [{service: stripe, ports: [80]}]\nwhen: target.path.contains('/v1/')"),
      },
    },
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;
