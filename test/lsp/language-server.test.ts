import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startEditor } from "./client.ts";
import { folder } from "./set.ts";

const HEAD = "apiVersion: sallyport.dev/v1alpha1\n";
const POLICY = `${HEAD}kind: EgressPolicy\nmetadata: {name: draft}\nspec:\n  owner: shop@example.com\n  rules:\n`;
const DRAFT = "policies/shop/draft.yaml";

describe("sallyport lsp", { timeout: 120_000 }, () => {
  it("shows diagnostics of what is typed, over the whole set, and takes them back", async () => {
    const root = await folder();
    const editor = await startEditor(root);
    await editor.open(
      DRAFT,
      `${POLICY}  - name: a\n    from: [{serviceAccount: shop/cart}]\n    to: [{service: papr}]\n`,
    );
    const [unknown] = await editor.diagnostics(DRAFT, (found) => found.length > 0);
    expect(unknown).toMatchObject({
      code: "unknown-service",
      severity: 1,
      source: "sallyport",
      range: { start: { line: 8, character: 19 }, end: { line: 8, character: 23 } },
    });
    expect(unknown?.message).toContain("write paper");
    // A mistake in one document shows in another, which nobody has open.
    const rest = (await readFile(join(root, "policies/shop/shop.yaml"), "utf8")).replace("name: paper", "name: card");
    await editor.open("policies/shop/shop.yaml", rest);
    await editor.type(
      DRAFT,
      `${POLICY}  - name: a\n    from: [{serviceAccount: shop/cart}]\n    to: [{service: card}]\n`,
    );
    await editor.diagnostics(DRAFT, (found) => found.length === 0);
    await editor.diagnostics("policies/shop/shop.yaml", (found) => found.length === 2);
    // What is not saved goes with the document.
    await editor.close("policies/shop/shop.yaml");
    await editor.diagnostics("policies/shop/shop.yaml", (found) => found.length === 0);
    await editor.diagnostics(DRAFT, (found) => found.some(({ code }) => code === "unknown-service"));
    // The directory changes by itself, as by a checkout.
    await writeFile(
      join(root, "policies/services.yaml"),
      `${HEAD}kind: ExternalService\nmetadata: {name: card}\nspec:\n  hosts: [card.example.com]\n  ports: [{number: 80, protocol: HTTP}]\n`,
    );
    await editor.diagnostics(DRAFT, (found) => found.length === 0);
    expect(await editor.quit()).toBe(0);
    expect(editor.errors()).toBe("");
  });

  it("completes keys, values and what the set names", async () => {
    const editor = await startEditor(await folder());
    const labels = async (text: string, path = DRAFT) => {
      await editor.type(path, text);
      return (await editor.complete(path)).map(({ label }) => label);
    };
    await editor.open(DRAFT, "");
    await editor.diagnostics(DRAFT, (found) => found.length > 0);
    expect(await labels("|")).toEqual(["apiVersion", "kind", "metadata", "spec"]);
    expect(await labels(`${HEAD}kind: |`)).toContain("EgressPolicy");
    expect(await labels(`${POLICY}  - name: a\n    |`)).toEqual([
      ...["effect", "from", "to", "upgrades", "notBefore", "expires", "when", "ticket", "reason"],
    ]);
    expect(await labels(`${POLICY}  - name: a\n    eff|\n    to: []`)).toEqual(["effect"]);
    expect(await labels(`${POLICY}  - name: a\n    effect: |\n    to: []`)).toEqual(["allow", "deny"]);
    expect(await labels(`${HEAD}kind: EgressPolicy\nspec:\n  mode: rep|`)).toEqual(["report"]);
    // A namespace sees its own services and the global ones; its own workloads; global groups.
    expect(await labels(`${POLICY}  - name: a\n    to:\n    - service: |`)).toEqual(["paper", "vendor"]);
    expect(await labels(`${POLICY}  - name: a\n    to: [{service: v|`)).toEqual(["vendor"]);
    expect(await labels(`${POLICY}  - name: a\n    from: [{group: |}]`)).toEqual(["tills"]);
    expect(await labels(`${POLICY}  - name: a\n    from: [{serviceAccount: |}]`)).toEqual([
      "shop/cart",
      "shop/chat",
      "shop/till",
    ]);
    expect(await labels(`${POLICY}  - name: a\n    to:\n    - hosts: [|]`)).toEqual([
      ...["api.paper.example.com", "*.paper.example.com", "api.vendor.example.com"],
    ]);
    expect(await labels(`${POLICY}  - name: a\n    to:\n    - service: vendor\n      ports: [|]`)).toEqual([
      "80",
      "443",
    ]);
    const top = "policies/top.yaml";
    await editor.open(top, "");
    const mirror = `${HEAD}kind: ExternalService\nmetadata: {name: m}\nspec:\n  mirror: {service: |`;
    expect(await labels(mirror, top)).toEqual(["vendor"]);
    const test = "policies/shop/shop.test.yaml";
    const head = `${HEAD}kind: DecisionTest\nmetadata: {name: t}\nspec:\n  now: 2026-11-23T12:00:00Z\n  cases:\n  - name: a\n`;
    await editor.open(test, "");
    expect(await labels(`${head}    from: |`, test)).toContain("outlet/till");
    expect(await labels(`${head}    to: GET http://|`, test)).toContain("GET http://api.vendor.example.com");
    expect(await labels(`${head}    expect: |`, test)).toEqual([
      "effect",
      "reason",
      "rules",
      "shadow",
      "allow",
      "deny",
    ]);
    expect(await labels(`${head}    expect: {rules: [|]}`, test)).toContain("shop/shop/order");
    expect(await labels(`${head}    expect: {reason: rule|}`, test)).toEqual([
      "denied-by-rule",
      "allowed-by-rule",
      "rule-expired",
      "no-matching-rule",
    ]);
    // What is inserted replaces what was begun, and quotes what YAML would take for an alias.
    await editor.type(DRAFT, `${POLICY}  - name: a\n    to:\n    - hosts: [api.p|]`);
    const [item] = await editor.complete(DRAFT);
    expect(item?.textEdit).toEqual({
      newText: "api.paper.example.com",
      range: { start: { line: 8, character: 14 }, end: { line: 8, character: 19 } },
    });
    await editor.type(DRAFT, `${POLICY}  - name: a\n    to:\n    - hosts: [|]`);
    expect((await editor.complete(DRAFT)).map(({ textEdit }) => textEdit?.newText)).toContain('"*.paper.example.com"');
    expect(await editor.quit()).toBe(0);
  });

  it("tells on hover what comes of a case, of a rule, and what a name means", async () => {
    const root = await folder();
    const editor = await startEditor(root);
    const test = "policies/shop/shop.test.yaml";
    const cases = (to: string, expected: string) =>
      `${HEAD}kind: DecisionTest\nmetadata: {name: t}\nspec:\n  now: 2026-11-23T12:00:00Z\n  cases:\n  - name: a|\n    from: shop/cart\n    to: ${to}\n    expect: ${expected}\n`;
    await editor.open(test, cases("POST http://api.paper.example.com/orders/7", "allow"));
    const allowed = await editor.hover(test);
    expect(allowed).toContain("**ALLOW** allowed-by-rule, as expected");
    expect(allowed).toContain("by allow `shop/shop/order` `shop/shop.yaml:14`");
    await editor.type(test, cases("PUT http://api.paper.example.com/orders/7", "allow"));
    const missed = await editor.hover(test);
    expect(missed).toContain("**DENY** no-matching-rule");
    expect(missed).toContain("**not as expected**: effect");
    expect(missed).toContain("`method PUT not in [POST]`");
    await editor.type(test, cases("PUT nonsense", "allow"));
    expect(await editor.hover(test)).toContain("cannot be asked");
    await editor.close(test);

    const shop = "policies/shop/shop.yaml";
    const text = await readFile(join(root, shop), "utf8");
    await editor.open(shop, text.replace("name: order", "name: or|der"));
    const rule = await editor.hover(shop);
    expect(rule).toContain("**allow** `shop/shop/order`, enforced");
    expect(rule).toContain(
      "`spiffe://cluster.local/ns/shop/sa/cart` `POST http://api.paper.example.com/orders/any`: **ALLOW** allowed-by-rule",
    );
    await editor.type(shop, text.replace("service: paper, paths", "service: pa|per, paths"));
    expect(await editor.hover(shop)).toContain("**ExternalService** `paper`, of namespace `shop`: `shop/shop.yaml:3`");
    await editor.type(shop, text.replace("methods: [POST]", "meth|ods: [POST]").replace("owner: shop", "ow|ner: shop"));
    expect(await editor.hover(shop)).toContain("Who answers for the policy.");
    // What is typed counts: an allow that a deny beats, before anything is saved.
    await editor.type(shop, text.replace("name: order", "name: or|der").replace("[/orders/x]", '["/orders/{**}"]'));
    expect(await editor.hover(shop)).toContain("**DENY** denied-by-rule by `shop/shop/never`");
    // With errors, the newest valid set answers, and says so.
    await editor.type(shop, text.replace("name: order", "name: or|der").replace("owner:", "ownr:"));
    const outdated = await editor.hover(shop);
    expect(outdated).toContain("**DENY** denied-by-rule");
    expect(outdated).toContain("before their present errors");
    const groups = "policies/groups.yaml";
    await editor.open(groups, (await readFile(join(root, groups), "utf8")).replace("tills", "ti|lls"));
    expect(await editor.hover(groups)).toContain("members `serviceAccount: shop/till`, `serviceAccount: outlet/till`");
    expect(await editor.quit()).toBe(0);
  });

  it("goes to the definition of services, groups and rules", async () => {
    const root = await folder();
    const editor = await startEditor(root);
    await editor.open(DRAFT, `${POLICY}  - name: a\n    from: [{group: ti|lls}]\n    to: [{service: vendor}]\n`);
    expect(await editor.define(DRAFT)).toEqual({
      uri: editor.uri("policies/groups.yaml"),
      range: { start: { line: 2, character: 17 }, end: { line: 2, character: 22 } },
    });
    await editor.type(DRAFT, `${POLICY}  - name: a\n    from: [{group: tills}]\n    to: [{service: |vendor}]\n`);
    expect(await editor.define(DRAFT)).toMatchObject({
      uri: editor.uri("policies/policies.yaml"),
      range: { start: { line: 2 } },
    });
    await editor.type(DRAFT, `${POLICY}  - name: a\n    ow|ner: x\n`);
    expect(await editor.define(DRAFT)).toBeNull();
    const test = "policies/top.test.yaml";
    const head = `${HEAD}kind: DecisionTest\nmetadata: {name: t}\nspec:\n  now: 2026-11-23T12:00:00Z\n  cases:\n  - {name: a, from: shop/cart, to: TLS x.example, `;
    await editor.open(test, `${head}expect: {rules: [shop/shop/ne|ver]}}\n`);
    expect(await editor.define(test)).toMatchObject({
      uri: editor.uri("policies/shop/shop.yaml"),
      range: { start: { line: 17 } },
    });
    await editor.type(test, `${head}expect: {rules: [small/re|ad]}}\n`);
    expect(await editor.define(test)).toMatchObject({
      uri: editor.uri("policies/policies.yaml"),
      range: { start: { line: 15 } },
    });
    expect(await editor.quit()).toBe(0);
  });

  it("lays a document out as fmt does", async () => {
    const editor = await startEditor(await folder());
    await editor.open(DRAFT, "kind:   EgressPolicy\napiVersion: v\n");
    const [edit] = (await editor.format(DRAFT)) ?? [];
    expect(edit?.newText).toBe("apiVersion: v\nkind: EgressPolicy\n");
    await editor.type(DRAFT, "kind: [\n");
    expect(await editor.format(DRAFT)).toEqual([]);
    expect(await editor.quit()).toBe(0);
  });
});
