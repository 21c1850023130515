import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { REPOSITORY } from "../run-cli.ts";

/** A folder for each command: its cases, and beside them what each prints. */
const GOLDEN = join(REPOSITORY, "test/cli/golden");

const PLACES = {
  /** What lies in the directory that the command is run from, by what it is a copy of: a path from the root of the repository. */
  copies: z.record(z.string(), z.string()).default({}),
  /** The same, by what stands in it. */
  texts: z.record(z.string(), z.string()).default({}),
};

const CASE = z.strictObject({
  /** Names the golden files. */
  name: z.string().regex(/^[a-z0-9-]+$/),
  /** After the command's own name. */
  args: z.array(z.coerce.string()).default([]),
  exit: z.int(),
  ...PLACES,
  /** What it reads on standard input, which makes it a process of its own. */
  stdin: z.string().optional(),
  /** Runs as a process of its own. */
  apart: z.boolean().default(false),
  /** Command lines to run before, which must exit with 0. */
  before: z.array(z.array(z.string())).default([]),
});

const CASES = z.strictObject({
  /** Such as `audit query`; empty for `sallyport` itself. */
  command: z.string(),
  ...PLACES,
  /** An audit trail `audit.jsonl`, as a server with these policies writes it about these requests. */
  trail: z
    .strictObject({
      policies: z.string(),
      requests: z.array(
        z.strictObject({
          at: z.coerce.date(),
          /** How often it comes, a day after the one before. */
          days: z.int().default(1),
          from: z.string(),
          to: z.string(),
          headers: z.record(z.string(), z.string()).default({}),
        }),
      ),
    })
    .optional(),
  /** Exit codes that no case here can have, and the test that sees to them. */
  elsewhere: z.record(z.string(), z.string()).default({}),
  cases: z.array(CASE),
});

export type GoldenCase = z.infer<typeof CASE>;

/** What a folder holds. */
export type GoldenCases = z.infer<typeof CASES> & { readonly folder: string };

/** The cases of all commands. @throws when a file is not as it should be */
export function readCases(): readonly GoldenCases[] {
  const folders = readdirSync(GOLDEN, { withFileTypes: true }).filter((each) => each.isDirectory());
  return folders.map(({ name }) => {
    const file = join(GOLDEN, name, "cases.yaml");
    const parsed = CASES.safeParse(parse(readFileSync(file, "utf8")));
    if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
    return { ...parsed.data, folder: join(GOLDEN, name) };
  });
}
