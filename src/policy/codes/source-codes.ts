import { LIMITS } from "../limits.ts";
import { type CodeEntry, gatewayText, groupText, ruleText, serviceText } from "./code-entry.ts";

const GOOD = { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}]") } };
const ENCODER = new TextEncoder();

/** What can be wrong with a file before its documents are looked at. */
export const SOURCE_CODES = {
  "unreadable-file": {
    title: "file or directory cannot be read",
    explanation:
      "What cannot be read might say anything, so its namespace keeps what it had. Give the process leave to read it, mend the link, or take it away.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": null } },
    good: GOOD,
  },
  "not-utf8": {
    title: "file is not UTF-8",
    explanation: "Policy files are UTF-8 text (a byte order mark is allowed). Save the file as UTF-8.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": new Uint8Array([0x6f, 0x77, 0x6e, 0xe9, 0x72]) } },
    good: { files: { "payments/checkout.yaml": ENCODER.encode(`\u{feff}${ruleText("to: [{service: stripe}]")}`) } },
  },
  "file-too-large": {
    title: "file is too large",
    explanation: `A policy file has at most ${LIMITS.fileBytes} bytes. Split it: how documents are spread over files never matters.`,
    severity: "error",
    bad: { files: { "payments/checkout.yaml": `▸${"# a comment\n".repeat(LIMITS.fileBytes / 12 + 1)}` } },
    good: GOOD,
  },
  "too-many-documents": {
    title: "file holds too many documents",
    explanation: `A policy file holds at most ${LIMITS.documentsPerFile} documents. Split it.`,
    severity: "error",
    bad: { files: { "payments/checkout.yaml": `▸${"---\nkind: EgressPolicy\n".repeat(LIMITS.documentsPerFile + 1)}` } },
    good: GOOD,
  },
  "too-deep": {
    title: "collections are nested too deep",
    explanation: `Lists and maps are nested at most ${LIMITS.depth} deep; the language itself needs less than ten.`,
    severity: "error",
    bad: { files: { "payments/checkout.yaml": `${"[".repeat(LIMITS.depth)}▸${"[".repeat(28)}${"]".repeat(60)}\n` } },
    good: GOOD,
  },
  "empty-file": {
    title: "file is empty",
    explanation:
      "A policy file holds at least one document. An empty one is more often a failed copy than an intention.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": "▸# nothing here yet\n" } },
    good: GOOD,
  },
  "empty-document": {
    title: "document is empty",
    explanation:
      "Between two `---` stands a document. An empty one is refused, so that no cut-off text passes for a policy.",
    severity: "error",
    bad: {
      files: {
        "groups.yaml": `${groupText("a", "members: [{namespace: a}]")}---\n▸---\n${groupText("b", "members: [{namespace: b}]")}`,
      },
    },
    good: {
      files: {
        "groups.yaml": `${groupText("a", "members: [{namespace: a}]")}---\n${groupText("b", "members: [{namespace: b}]")}`,
      },
    },
  },
  "yaml-syntax": {
    title: "text is not YAML",
    explanation: "The file cannot be read as YAML 1.2. The position is where the reader gave up.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}▸}]") } },
    good: GOOD,
  },
  "yaml-alias": {
    title: "alias, or a wildcard without quotes",
    explanation:
      "In YAML a value that begins with `*` is an alias. Aliases are refused; a wildcard host or path is written in quotes.",
    severity: "error",
    bad: {
      files: {
        "services.yaml": serviceText("stripe", "hosts: [▸*.stripe.com]\nports: [{number: 443, protocol: TLS}]"),
      },
    },
    good: {
      files: {
        "services.yaml": serviceText("stripe", 'hosts: ["*.stripe.com"]\nports: [{number: 443, protocol: TLS}]'),
      },
    },
  },
  "yaml-anchor": {
    title: "anchor",
    explanation: "Anchors (`&name`) are refused: a policy says what it means where it stands.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText("to: ▸&all [{service: stripe}]") } },
    good: GOOD,
  },
  "yaml-tag": {
    title: "tag",
    explanation: "Tags (`!name`, `!!str`) are refused: write text in quotes.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText("to: [{service: ▸!!str stripe}]") } },
    good: GOOD,
  },
  "yaml-directive": {
    title: "directive",
    explanation:
      "Directives (`%YAML`, `%TAG`) are refused: every file is YAML 1.2, so that a word means the same everywhere.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": `▸%YAML 1.1\n---\n${ruleText("to: [{service: stripe}]")}` } },
    good: { files: { "payments/checkout.yaml": `---\n${ruleText("to: [{service: stripe}]")}` } },
  },
  "duplicate-key": {
    title: "key stands twice in a map",
    explanation: "A map has each key once. With two, readers would disagree about which one counts.",
    severity: "error",
    bad: { files: { "gateway.yaml": gatewayText("fallback: deny\n▸fallback: allow") }, bare: true },
    good: { files: { "gateway.yaml": gatewayText("fallback: deny") }, bare: true },
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;
