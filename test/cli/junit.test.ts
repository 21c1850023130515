import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { junitReport } from "../../src/cli/junit.ts";
import { REPOSITORY, run } from "./run-cli.ts";

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
}

/** Reads XML with a parser that is not ours. */
async function readXml(text: string): Promise<Element> {
  const reader = `import json, sys, xml.etree.ElementTree as e
def tell(x): return {"name": x.tag, "attributes": x.attrib, "children": [tell(c) for c in x], "text": x.text or ""}
print(json.dumps(tell(e.fromstring(sys.stdin.buffer.read()))))`;
  const { code, stdout, stderr } = await run("python3", ["-c", reader], REPOSITORY, {}, text);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

/** What junit-10.xsd of Jenkins' xUnit plugin lets an element have, as far as we use it: attributes (! = must be there), children. */
const ELEMENTS: Readonly<Record<string, { readonly attributes: string; readonly children: string }>> = {
  testsuites: { attributes: "name time tests failures errors", children: "testsuite" },
  testsuite: {
    attributes: "name! tests! failures! errors! group time skipped timestamp hostname id package file log url version",
    children: "testsuite properties testcase system-out system-err",
  },
  testcase: { attributes: "name! time classname group", children: "skipped error failure system-out system-err" },
  failure: { attributes: "type message", children: "" },
  skipped: { attributes: "type message", children: "" },
  "system-out": { attributes: "", children: "" },
};

function judge({ name, attributes, children }: Element): void {
  const schema = ELEMENTS[name] ?? { attributes: "", children: "" };
  const known = schema.attributes.split(" ");
  const plain = known.map((each) => each.replace("!", ""));
  expect(Object.keys(attributes).filter((each) => !plain.includes(each))).toEqual([]);
  expect(known.filter((each) => each.endsWith("!") && !Object.hasOwn(attributes, each.slice(0, -1)))).toEqual([]);
  expect(children.map((each) => each.name).filter((each) => !schema.children.split(" ").includes(each))).toEqual([]);
  for (const each of children) judge(each);
}

/** What a suite says of itself, as it can be counted. */
function counted({ children }: Element): Record<string, string> {
  const of = (name: string) => String(children.filter((each) => each.children.some((one) => one.name === name)).length);
  return { tests: String(children.length), failures: of("failure"), errors: of("error"), skipped: of("skipped") };
}

const REPORTS = globSync("*/*.stdout.xml", { cwd: join(REPOSITORY, "test/cli/golden") }).sort();

describe("JUnit reports", () => {
  it("are there for each command that writes them", () => {
    expect([...new Set(REPORTS.map((each) => each.split("/")[0]))]).toEqual(["lint", "test", "validate"]);
  });

  it.each(REPORTS)("%s keeps to the schema, and its numbers are true", async (path) => {
    const report = await readXml(readFileSync(join(REPOSITORY, "test/cli/golden", path), "utf8"));
    expect(report.name).toBe("testsuites");
    judge(report);
    const suites = report.children;
    for (const suite of suites) expect(suite.attributes).toMatchObject(counted(suite));
    for (const name of ["tests", "failures", "errors"]) {
      const sum = suites.reduce((all, { attributes }) => all + Number(attributes[name]), 0);
      expect(report.attributes[name]).toBe(String(sum));
    }
    const cases = suites.flatMap(({ children }) => children);
    for (const failure of cases.flatMap(({ children }) => children).filter(({ name }) => name === "failure")) {
      expect(failure.attributes).toEqual({ type: expect.stringMatching(/./), message: expect.stringMatching(/./) });
      expect(failure.text).toMatch(/^(policies|broken)\/[\w./-]+\.yaml:\d+/);
    }
  });

  it("holds any text, without what XML cannot hold", async () => {
    const text = 'a <&> "b"\n]]> \u0000\u001b[31m\ud800 é';
    const outcome = { kind: "failed", type: "x", message: "m", text } as const;
    const { children } = await readXml(junitReport([{ name: text, file: "f", cases: [{ name: "n", outcome }] }]));
    const legal = 'a <&> "b"\n]]> \ufffd\ufffd[31m\ufffd é';
    expect(children[0]?.children[0]?.children[0]?.text).toBe(legal);
    expect(children[0]?.attributes.name).toBe(legal.replace("\n", " "));
  });
});
