import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allCommands, type NamedCommand, optionsOf } from "./commands.ts";
import { REPOSITORY } from "./run-cli.ts";

const read = (page: string): string => readFileSync(join(REPOSITORY, "docs", page), "utf8");
const PAGE = read("cli.md");
const LEAVES = (await allCommands()).filter(({ isGroup }) => !isGroup);

/** Sections by their headings. */
const SECTIONS: ReadonlyMap<string, string> = new Map(
  PAGE.split(/^## /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf("\n")), text]),
);

/** The settings of a server have a page of their own. */
const ELSEWHERE: Readonly<Record<string, string>> = { serve: read("configuration.md") };

/** `--policies` and `--output` are told of before the first section, for all commands at once. */
const INTRODUCTION = PAGE.slice(0, PAGE.indexOf("\n## "));

function headingOf({ name }: NamedCommand): string | undefined {
  const [first = ""] = name.split(" ");
  return [...SECTIONS.keys()].find((heading) => heading.split(", ").some((each) => each === name || each === first));
}

function flagsIn(text: string): readonly string[] {
  return [...new Set(text.match(/(?<![\w-])--[a-z][a-z-]*/g))];
}

function flagsOf(command: NamedCommand): readonly string[] {
  return optionsOf(command).map(({ long }) => long ?? "");
}

describe("docs/cli.md", () => {
  it.each(LEAVES)("has a section of $name that names each of its options", (command) => {
    const heading = headingOf(command);
    expect(heading).toBeDefined();
    const text = `${INTRODUCTION}${SECTIONS.get(heading ?? "")}${ELSEWHERE[command.name] ?? ""}`;
    expect(flagsOf(command).filter((each) => !flagsIn(text).includes(each))).toEqual([]);
  });

  it.each([...SECTIONS])("names in its section %s no option that is not there", (heading, text) => {
    const commands = LEAVES.filter((each) => headingOf(each) === heading);
    expect(commands.map(({ name }) => name)).not.toEqual([]);
    const right = text.replace(/^.*# exit 64$/gm, "");
    const others = [...text.matchAll(/`([a-z]+) (--[a-z-]+)`/g)].filter(([, name, flag]) =>
      LEAVES.some((each) => each.name === name && flagsOf(each).includes(flag ?? "")),
    );
    const known = [...commands.flatMap(flagsOf), ...others.map(([, , flag]) => flag)];
    expect(flagsIn(right).filter((each) => !known.includes(each))).toEqual([]);
  });

  it.each(LEAVES)("tells the forms of $name as they are", (command) => {
    const [, , formats = ""] =
      new RegExp(`^\\| \`(${command.name.replace(/^import .*/, "import")})\` \\|[^|]*\\|([^|]*)\\|$`, "m").exec(PAGE) ??
      [];
    const choices = command.command.options.find(({ long }) => long === "--output")?.argChoices ?? [];
    expect([...formats.matchAll(/`(\w+)`/g)].map(([, each]) => each)).toEqual(choices);
  });

  it("tells of each command once in its table", () => {
    const told = [...INTRODUCTION.matchAll(/^\| `([a-z ]+)` \|/gm)].map(([, name]) => name ?? "");
    const names = new Set(LEAVES.map(({ name }) => name.replace(/^import .*/, "import")));
    expect(told.sort()).toEqual([...names].sort());
  });

  it("tells which commands take --policies and a short -o for the form", () => {
    const without = LEAVES.filter((each) => !flagsOf(each).includes("--policies")).map(({ name }) => name);
    const listed = /\nAll but ([^;]*?) take `--policies DIR`/.exec(INTRODUCTION)?.[1] ?? "";
    expect([...new Set(without.map((name) => name.split(" ")[0] ?? ""))].sort()).toEqual(
      [...listed.matchAll(/`(\w+)`/g)].map(([, each]) => each ?? "").sort(),
    );
  });
});
