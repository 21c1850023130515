import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { CancellationTokenSource, HoverRequest } from "vscode-languageserver-protocol/node";
import { completionsAt } from "../../src/editor/complete.ts";
import { definitionAt } from "../../src/editor/define.ts";
import { namesOf } from "../../src/editor/names.ts";
import { placeAt, placeToComplete } from "../../src/editor/place.ts";
import { readDocuments } from "../../src/policy/read-documents.ts";
import { readPolicyDirectory } from "../../src/server/read-policies.ts";
import { REPOSITORY } from "../cli/run-cli.ts";
import { startEditor } from "./client.ts";
import { folder } from "./set.ts";

const SHOP = "policies/shop/shop.yaml";

describe("the language server bears", { timeout: 60_000 }, () => {
  it("messages that are none", async () => {
    const root = await folder();
    const child = spawn(process.execPath, [join(REPOSITORY, "src/cli/main.ts"), "lsp"], { cwd: root });
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    let said = "";
    let look = (): void => undefined;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      look();
    });
    const until = (id: number) =>
      new Promise<string>((resolve) => {
        look = () => {
          const line = said
            .split("Content-Length")
            .find((each) => each.includes(`"id":${id},`) || each.includes(`"id":${id}}`));
          if (line !== undefined) resolve(line);
        };
        look();
      });
    const send = (body: string | Buffer) => {
      child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`);
      child.stdin.write(body);
    };
    const call = (id: number, method: string, params: unknown) =>
      send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    const tell = (method: string, params: unknown) => send(JSON.stringify({ jsonrpc: "2.0", method, params }));

    call(1, "textDocument/hover", { textDocument: { uri: "file:///x.yaml" }, position: { line: 0, character: 0 } });
    expect(await until(1)).toContain("-32002");
    call(2, "initialize", { processId: null, rootUri: `file://${root}`, capabilities: {} });
    expect(await until(2)).toContain("hoverProvider");
    child.stdin.write("no header at all\r\n\r\n");
    child.stdin.write("Content-Type: text/plain\r\n\r\n");
    send("this is not JSON");
    send("{}");
    send("[]");
    send("null");
    send('{"jsonrpc":"2.0","id":{"a":1},"method":7}');
    send(Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]));
    tell("textDocument/didOpen", {});
    tell("textDocument/didOpen", {
      textDocument: { uri: "untitled:Untitled-1", languageId: "yaml", version: 1, text: "a: 1" },
    });
    tell("textDocument/didOpen", { textDocument: { uri: "file://%%%", languageId: "yaml", version: 1, text: "a: 1" } });
    tell("textDocument/didChange", {
      textDocument: { uri: "file:///never/opened.yaml", version: 1 },
      contentChanges: [{ text: "x" }],
    });
    tell("textDocument/didClose", { textDocument: { uri: 5 } });
    tell("no/such/notification", [1, 2]);
    call(3, "no/such/request", {});
    expect(await until(3)).toContain("-32601");
    call(4, "textDocument/hover", {});
    expect(await until(4)).toContain('"id":4');
    call(5, "textDocument/completion", { textDocument: { uri: "file://%%%" }, position: { line: -7, character: 1e9 } });
    expect(await until(5)).toContain('"id":5');
    const uri = `file://${join(root, SHOP)}`;
    tell("textDocument/didOpen", {
      textDocument: { uri, languageId: "yaml", version: 1, text: await readFile(join(root, SHOP), "utf8") },
    });
    call(6, "textDocument/definition", { textDocument: { uri }, position: { line: 13, character: 1e6 } });
    expect(await until(6)).toContain('"id":6');
    call(7, "textDocument/hover", { textDocument: { uri }, position: { line: 13, character: 12 } });
    expect(await until(7)).toContain("shop/shop/order");
    // When the editor goes away without a word, so does the server.
    child.stdin.end();
    expect(await once(child, "exit")).toEqual([1, null]);
  });

  it("files beyond every limit, and many questions taken back", async () => {
    const root = await folder();
    const editor = await startEditor(root);
    const text = await readFile(join(root, SHOP), "utf8");
    await editor.open(SHOP, text.replace("name: order", "name: or|der"));
    expect(await editor.hover(SHOP)).toContain("shop/shop/order");
    const large = `${"# much\n".repeat(200_000)}a: |`;
    await editor.open("policies/large.yaml", large);
    const [found] = await editor.diagnostics("policies/large.yaml", (all) => all.length > 0);
    expect(found?.code).toBe("file-too-large");
    expect(await editor.complete("policies/large.yaml")).toEqual([]);
    await editor.type("policies/large.yaml", `a: ${"[".repeat(100_000)}|`);
    await editor.diagnostics("policies/large.yaml", (all) => all.some(({ code }) => code === "too-deep"));
    expect(await editor.complete("policies/large.yaml")).toEqual([]);
    await editor.close("policies/large.yaml");
    const asked = Array.from({ length: 300 }, () => {
      const source = new CancellationTokenSource();
      const at = { textDocument: { uri: editor.uri(SHOP) }, position: { line: 13, character: 12 } };
      const answer = editor.connection.sendRequest(HoverRequest.type, at, source.token).then(
        () => "answered",
        ({ code }: { code: number }) => code,
      );
      source.cancel();
      return answer;
    });
    const outcomes = new Set(await Promise.all(asked));
    outcomes.delete("answered");
    // RequestCancelled, and no other error.
    expect([...outcomes].filter((each) => each !== -32800)).toEqual([]);
    expect(await editor.hover(SHOP)).toContain("shop/shop/order");
    expect(await editor.quit()).toBe(0);
  });

  it("a folder without policies, until there are some", async () => {
    const root = await folder();
    const editor = await startEditor(root, "--policies", "elsewhere");
    await editor.open("elsewhere/a.yaml", "kind: |");
    expect(await editor.complete("elsewhere/a.yaml")).toHaveLength(5);
    await editor.diagnostics("elsewhere/a.yaml", (found) => found.length > 0);
    await rename(join(root, "policies"), join(root, "elsewhere"));
    const policy = await readFile(join(root, "elsewhere/shop/shop.yaml"), "utf8");
    await editor.close("elsewhere/a.yaml");
    await editor.open(
      "elsewhere/shop/shop.yaml",
      policy.replace("service: paper, methods", "service: pa|per, methods"),
    );
    await editor.save("elsewhere/shop/shop.yaml");
    expect(await editor.define("elsewhere/shop/shop.yaml")).toMatchObject({ range: { start: { line: 2 } } });
    expect(await editor.quit()).toBe(0);
  });
});

it("any text with a cursor anywhere has an answer", { timeout: 120_000 }, async () => {
  const files = await readPolicyDirectory(join(REPOSITORY, "policies"));
  const names = namesOf(files.flatMap(({ path, bytes }) => readDocuments(path, bytes).documents));
  expect(names.services.length).toBeGreaterThan(5);
  const texts = files.map(({ path, bytes }) => ({ path, text: new TextDecoder().decode(bytes) }));
  let suggestions = 0;
  const cut = fc.record({
    file: fc.constantFrom(...texts),
    at: fc.nat({ max: 1_000_000 }),
    drop: fc.nat({ max: 30 }),
    typed: fc.constantFrom(
      "",
      " ",
      "\n",
      ":",
      "-",
      "[",
      "{",
      '"',
      "'",
      "|",
      "*",
      "&a",
      "!x",
      "? ",
      "---\n",
      "\t",
      "#",
      "%",
      "\u0000",
    ),
  });
  fc.assert(
    fc.property(cut, ({ file: { path, text }, at, drop, typed }) => {
      const offset = at % (text.length + 1);
      const broken = `${text.slice(0, offset)}${typed}${text.slice(offset + drop)}`;
      const place = placeToComplete(path, broken, offset + typed.length);
      if (place !== null) {
        suggestions += completionsAt(place, names).length;
        expect(place.text).toBe(broken.slice(place.start, place.end));
      }
      const there = placeAt(path, broken, offset);
      if (there !== null) definitionAt(there, names);
    }),
    { numRuns: 120, seed: 20_261_123 },
  );
  expect(suggestions).toBeGreaterThan(200);
  for (const { path, text } of texts.filter(({ path }) => path !== "gateway.yaml")) {
    for (const { index, 0: found } of text.matchAll(/\{(?:service|group): [a-z-]+/g)) {
      const place = placeAt(path, text, index + found.length);
      expect(place === null ? null : definitionAt(place, names), `${path} ${found}`).not.toBeNull();
    }
  }
});
