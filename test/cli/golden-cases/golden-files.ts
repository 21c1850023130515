import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { REPOSITORY, withoutDigests } from "../run-cli.ts";

/** Golden files are written anew in place of being compared, and those of no case are removed. */
const UPDATES = process.env.UPDATE_GOLDEN === "1";

/** The part of a golden file's path after the name of its case. */
const GOLDEN_FILE = /^([a-z0-9-]+)\.(stdout\.\w+|stderr\.txt|files\/.+)$/;

/** What a case printed and wrote, without what is different on each machine and at each run. */
export function normalised(text: string, directory: string): string {
  return withoutDigests(text)
    .replaceAll(directory, "DIRECTORY")
    .replaceAll(REPOSITORY.replace(/\/$/, ""), "REPOSITORY")
    .replace(/(trail"?:? "?)[0-9a-f-]{36}/g, "$1…")
    .replace(/"level":"(\w+)","time":"[^"]*"/g, '"level":"$1","time":"…"');
}

/** Compares the golden files of a case with what it gave: texts by the part of their path after the case's name. */
export function compareGolden(folder: string, name: string, given: ReadonlyMap<string, string>): void {
  const wanted = new Map([...given].map(([rest, text]) => [`${name}.${rest}`, text]));
  const present = goldenFiles(folder).filter((path) => GOLDEN_FILE.exec(path)?.[1] === name);
  if (UPDATES) {
    remove(
      folder,
      present.filter((path) => !wanted.has(path)),
    );
    for (const [path, text] of wanted) write(join(folder, path), text);
  } else {
    const golden = new Map(present.map((path) => [path, readFileSync(join(folder, path), "utf8")]));
    expect(Object.fromEntries(wanted)).toEqual(Object.fromEntries(golden));
  }
}

/** Sees to it that each golden file belongs to one of the cases. */
export function refuseOrphans(folder: string, names: readonly string[]): void {
  const orphans = goldenFiles(folder).filter((path) => !names.includes(GOLDEN_FILE.exec(path)?.[1] ?? ""));
  if (UPDATES) remove(folder, orphans);
  else expect(orphans).toEqual([]);
}

function goldenFiles(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  const paths = entries.map((each) => join(each.parentPath, each.name).slice(folder.length + 1));
  return paths.filter((path) => GOLDEN_FILE.test(path)).sort();
}

function remove(folder: string, paths: readonly string[]): void {
  for (const path of paths) rmSync(join(folder, path));
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
