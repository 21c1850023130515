import { describe, expect, it } from "vitest";
import { filesOf } from "../../../src/import/documents.ts";
import { importSmokescreen } from "../../../src/import/smokescreen/import.ts";
import { deciderOf, OPTIONS, sourceFile } from "../support/decide.ts";

const RULE =
  "version: v1\nservices:\n- name: one\n  project: team\n  action: enforce\n  allowed_domains: [api.example.com]\n";
const ROLES = "one: [{serviceAccount: roles/one}]\n";

function problemsOf(acl: string, roles: string): string {
  const options = { ...OPTIONS, owner: null };
  const imported = importSmokescreen(sourceFile("acl.yaml", acl), sourceFile("roles.yaml", roles), options);
  if (imported.ok) return "";
  return imported.problems
    .map(({ at, code, message, fix }) => `${at.file}:${at.line}:${at.column} ${code} ${message} ${fix}`)
    .join("\n");
}

describe("a source with errors is refused, with the place", () => {
  it.each([
    ["not YAML", "version: [", "acl.yaml:1:11 yaml-syntax"],
    ["no services", "version: v1\n", "acl.yaml:1:1 missing-key `services` is missing"],
    ["an unknown action", RULE.replace("enforce", "allow"), "acl.yaml:5:11 unknown-value"],
    ["an unknown key", `${RULE}global_denylist: [evil.example]\n`, "did you mean `global_deny_list`?"],
    ["two rules for a role", `${RULE}- name: one\n  action: open\n  project: team\n`, "two rules for role `one`"],
    ["no owner", RULE.replace("  project: team\n", ""), "--owner team@example.com"],
    ["anchors", RULE.replace("[api.example.com]", "&hosts [api.example.com]"), "YAML anchor"],
    ["nesting without end", `version: v1\nservices: ${"[".repeat(5_000)}`, "nested more than"],
    ["a file too large", `${RULE}# ${"x".repeat(1_100_000)}\n`, "more than 1048576 bytes"],
    ["too many values", `version: v1\nservices: [${"a,".repeat(260_000)}]\n`, "lines and values"],
    ["two documents", `${RULE}---\n${RULE}`, "more than one document"],
    ["an empty file", "", "holds no document"],
    ["a list", "- a\n", "must be a"],
    ["a name that would vanish", `${RULE}__proto__: {}\n`, "`__proto__` is not a key here"],
  ])("%s", (_, acl, message) => {
    expect(problemsOf(acl, ROLES)).toContain(message);
  });

  it.each([
    ["a role nobody knows", "ones: [{namespace: a}]\n", "nor a default rule one"],
    ["a workload with two roles", "one: [{namespace: a}]\ntwo: [{serviceAccount: a/b}]\n", "a workload has one role"],
    ["a foreign workload", 'one: [{spiffe: "spiffe://elsewhere/ns/a/sa/b"}]\n', "not of the mesh's own trust domain"],
    ["a selector of two kinds", "one: [{namespace: a, serviceAccount: a/b}]\n", "has one of"],
    ["a wildcard within", 'one: [{spiffe: "spiffe://cluster.local/*/sa/b"}]\n', "roles.yaml:1:7 invalid-selector"],
    ["nobody", "one: []\n", "roles.yaml:1:6"],
    ["something else", "- one\n", "must be a"],
  ])("%s in --roles", (_, roles, message) => {
    expect(problemsOf(RULE, roles)).toContain(message);
  });
});

it("takes odd names and very many hosts", () => {
  const hosts = Array.from({ length: 2_500 }, (_, i) => `h${i}.example.com`);
  const acl = `version: v1\nservices:\n- {name: "../Ünï \\u0007", project: "x\\u001b[31m", action: enforce, allowed_domains: [${hosts}]}\n`;
  const roles = '"../Ünï \\u0007": [{serviceAccount: roles/one}]\n';
  const ours = deciderOf(importSmokescreen(sourceFile("acl.yaml", acl), sourceFile("roles.yaml", roles), OPTIONS));
  expect(ours.allows({ from: "roles/one", to: "TLS h2499.example.com" })).toBe(true);
  expect(ours.allows({ from: "roles/one", to: "TLS h2500.example.com" })).toBe(false);
  expect(ours.text).not.toContain("\u001b");
});

it("takes more roles than a file holds, each with global lists of many hosts", () => {
  const names = Array.from({ length: 2_100 }, (_, i) => `r${i}`);
  const hosts = (of: string): string => Array.from({ length: 1_000 }, (_, i) => `h${i}.${of}`).join(", ");
  const services = names.map(
    (name) => `- {name: ${name}, project: x, action: report, allowed_domains: [${name}.example.net]}\n`,
  );
  const lists = `global_allow_list: [${hosts("example.com")}]\nglobal_deny_list: [${hosts("example.com")}, h7.example.org]\n`;
  const acl = `version: v1\nservices:\n${services.join("")}${lists}`;
  const roles = names.map((name) => `${name}: [{serviceAccount: roles/${name}}]\n`).join("");
  const imported = importSmokescreen(sourceFile("acl.yaml", acl), sourceFile("roles.yaml", roles), OPTIONS);
  const files = imported.ok ? filesOf(imported.set) : [];
  const groups = files.filter(({ path }) => path.startsWith("groups"));
  expect(groups.map(({ path, documents }) => [path, documents.length])).toEqual([
    ["groups-2.yaml", 1_000],
    ["groups-3.yaml", 100],
    ["groups.yaml", 1_000],
  ]);
});
