import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { REPOSITORY } from "./run-cli.ts";

const PAGES = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...readdirSync(join(REPOSITORY, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

function read(path: string): string {
  return readFileSync(join(REPOSITORY, path), "utf8");
}

/** The text outside of fenced blocks. */
function prose(page: string): string {
  return read(page).replaceAll(/^```[\s\S]*?^```$/gm, "");
}

/** What a heading is called in a link, as code hosts make it: lower case, no marks, spaces as hyphens. */
function anchors(page: string): Set<string> {
  return new Set(
    [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replaceAll(" ", "-"),
    ),
  );
}

function brokenLinks(page: string): string[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? page : join(dirname(page), path);
      if (!existsSync(join(REPOSITORY, file))) return true;
      return anchor !== undefined && file.endsWith(".md") && !anchors(file).has(anchor);
    });
}

function missingTests(page: string): string[] {
  return [...prose(page).matchAll(/`(test\/[\w./-]+\.ts)`/g)]
    .map(([, path = ""]) => path)
    .filter((path) => !existsSync(join(REPOSITORY, path)));
}

describe("the documentation", () => {
  it.each(PAGES)("%s links to what is there", (page) => {
    expect(brokenLinks(page)).toEqual([]);
  });

  it.each(PAGES)("%s names tests that are there", (page) => {
    expect(missingTests(page)).toEqual([]);
  });

  it("is looked at: a link and an anchor that are wrong would be found", () => {
    expect(anchors("docs/threat-model.md").has("what-is-not-held")).toBe(true);
    expect(anchors("docs/threat-model.md").has("what-is-not-there")).toBe(false);
  });
});
