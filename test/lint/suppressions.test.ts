import { describe, expect, it } from "vitest";
import { asFiles, DAY_MS, lintFiles, NOW_MS } from "./load.ts";

const BASE = {
  "gateway.yaml": `apiVersion: sallyport.dev/v1alpha1
kind: EgressGateway
metadata: {name: egress, namespace: istio-egress}
spec: {}
---
apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: api}
spec:
  hosts: [api.example.com]
  ports: [{number: 80, protocol: HTTP}]
`,
};

const HEAD = `apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: shop}
spec:
  owner: shop@example.com
  rules:
`;

const IGNORE = "# sallyport-lint-ignore allow-without-ticket until 2027-01-31: older than the tickets";

function rule(name: string, more = ""): string {
  return `  - name: ${name}\n    from: [{serviceAccount: shop/${name}}]\n    to: [{service: api}]\n${more}`;
}

function lint(text: string, nowMs = NOW_MS) {
  const report = lintFiles(asFiles({ ...BASE, "shop/shop.yaml": text }), { nowMs });
  return {
    found: report.findings.map(({ code, at, subject }) => `${code} ${subject ?? at.line}`),
    quiet: report.suppressed.map(({ finding, suppression }) => `${finding.subject}: ${suppression.reason}`),
    messages: report.findings.map(({ message }) => message),
  };
}

const QUIET = "older than the tickets";
const LOUD = (name: string) => `allow-without-ticket shop/shop/${name}`;

describe("a suppression", () => {
  it("keeps quiet the rule under it, and no other", () => {
    const { found, quiet } = lint(`${HEAD}  ${IGNORE}\n${rule("a")}${rule("b")}`);
    expect(found).toEqual([LOUD("b")]);
    expect(quiet).toEqual([`shop/shop/a: ${QUIET}`]);
  });

  it("may stand in the rule's own line, or over further comments and empty lines", () => {
    expect(lint(`${HEAD}${rule("a").replace("name: a", `name: a # ${IGNORE.slice(2)}`)}`).found).toEqual([]);
    expect(lint(`${HEAD}  ${IGNORE}\n\n  # the first\n${rule("a")}`).found).toEqual([]);
  });

  it("before a document's first line keeps quiet the document, and no other", () => {
    const other = `${HEAD.replace("name: shop", "name: other")}${rule("c")}`;
    const { found } = lint(`# first\n${IGNORE}\n${HEAD}${rule("a")}${rule("b")}---\n${other}`);
    expect(found).toEqual(["allow-without-ticket shop/other/c"]);
    expect(lint(`${HEAD}${rule("a", "    ticket: T\n")}---\n${IGNORE}\n${other}`).found).toEqual([]);
  });

  it("inside a text is none", () => {
    const { found } = lint(`${HEAD}${rule("a", `    reason: "${IGNORE}"\n`)}`);
    expect(found).toEqual([LOUD("a")]);
    const folded = `${HEAD}  - name: a\n    reason: >-\n      ${IGNORE}\n    from: [{namespace: shop}]\n    to: [{service: api}]\n`;
    expect(lint(folded).found).toEqual([LOUD("a")]);
  });

  it("ends with its day, and says so", () => {
    const text = `${HEAD}  ${IGNORE}\n${rule("a")}`;
    const end = Date.parse("2027-01-31T00:00:00Z");
    expect(lint(text, end - 1).found).toEqual([]);
    expect(lint(text, end).found).toEqual(["expired-suppression 7", LOUD("a")]);
    expect(lint(text, end + 3 * DAY_MS).messages[0]).toContain("ended 3 days ago");
  });

  it("of nothing is told of, unless it was not looked for", () => {
    const ticket = rule("a", "    ticket: T\n");
    expect(lint(`${HEAD}  ${IGNORE}\n${ticket}`).found).toEqual(["unused-suppression 7"]);
    for (const code of ["owner-gone", "unused-rule", "wide-wildcard"]) {
      expect(lint(`${HEAD}  ${IGNORE.replace("allow-without-ticket", code)}\n${ticket}`).found).toEqual([]);
    }
  });

  it.each([
    ["# sallyport-lint-ignore", "names a code"],
    ["# sallyport-lint-ignore allow-without-ticket: why", "has no end"],
    ["# sallyport-lint-ignore allow-without-ticket until 2027-01-31", "has no reason"],
    ["# sallyport-lint-ignore allow-without-ticket until 2027-01-31:   ", "has no reason"],
    ["# sallyport-lint-ignore allow-without-ticket until 2027-02-31: why", "which is no day"],
    ["# sallyport-lint-ignore allow-without-ticket until tomorrow: why", "which is no day"],
    ["# sallyport-lint-ignore no-such-code until 2027-01-31: why", "is not a code"],
    ["# sallyport-lint-ignore unused-suppression until 2027-01-31: why", "cannot be suppressed"],
  ])("%s suppresses nothing", (comment, why) => {
    const { found, messages } = lint(`${HEAD}  ${comment}\n${rule("a")}`);
    expect(found).toEqual(["bad-suppression 7", LOUD("a")]);
    expect(messages[0]).toContain(why);
  });

  it("is not a word that only begins so", () => {
    expect(lint(`${HEAD}  # sallyport-lint-ignored is what this was\n${rule("a", "    ticket: T\n")}`).found).toEqual(
      [],
    );
  });
});
