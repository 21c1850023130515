import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REPOSITORY, run, writeShim } from "./run-cli.ts";

/** A command of the documentation, and the exit code that its comment promises. */
interface DocumentedCommand {
  readonly place: string;
  readonly text: string;
  readonly exit: number;
}

interface Block {
  readonly place: string;
  readonly info: string;
  readonly lines: readonly string[];
}

const PAGES = [
  "README.md",
  ...readdirSync(join(REPOSITORY, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

function shellBlocks(page: string): Block[] {
  const path = join(REPOSITORY, page);
  if (!existsSync(path)) return [];
  const text = readFileSync(path, "utf8");
  return [...text.matchAll(/^```(sh\b.*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    place: `${page}:${text.slice(0, match.index).split("\n").length}`,
    info: (match[1] ?? "").trim(),
    lines: (match[2] ?? "").split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#")),
  }));
}

const blocks = PAGES.flatMap(shellBlocks);
const commands: DocumentedCommand[] = blocks
  .filter((block) => block.info === "sh runnable")
  .flatMap((block) =>
    block.lines.map((line) => {
      const [, text = line, exit = "0"] = /^(.*?)(?:\s+# exit (\d+))?$/.exec(line) ?? [];
      return { place: block.place, text, exit: Number(exit) };
    }),
  );

describe("commands of the documentation", () => {
  let directory = "";

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "sallyport-docs-"));
    for (const each of ["policies", "test"]) symlinkSync(join(REPOSITORY, each), join(directory, each));
    writeShim(directory);
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it("are there", () => {
    expect(commands.length).toBeGreaterThan(15);
  });

  // Those for a cluster are run by `npm run test:cluster`.
  it.each(blocks.filter(({ info }) => info !== "sh runnable" && info !== "sh cluster"))(
    "$place is marked when it calls sallyport",
    (block) => {
      // tutorial.test.ts and install-envoy.test.ts run those of their pages, in their order.
      const isOwn =
        (block.info === "sh tutorial" && block.place.startsWith("docs/tutorial.md:")) ||
        (block.info === "sh envoy" && block.place.startsWith("docs/install-envoy.md:"));
      const unmarked =
        isOwn || block.info.startsWith("sh skip") ? [] : block.lines.filter((line) => /^sallyport\b/.test(line));
      expect(unmarked).toEqual([]);
    },
  );

  it.each(commands)("$place $text", async ({ text, exit }) => {
    const script = `PATH="${directory}${delimiter}$PATH"; ${text}`;
    const { code, stderr } = await run("sh", ["-c", script], directory);
    expect({ code, stderr: exit === 0 ? stderr : "" }).toEqual({ code: exit, stderr: "" });
  });
});
