import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import type { PolicyFile } from "../policy/parse-cache.ts";
import { fail, ok, type Result } from "../policy/result.ts";

/** What a git revision holds at a place: a directory's policy files, or one file's bytes. */
export type GitContent =
  | { readonly kind: "directory"; readonly files: readonly PolicyFile[] }
  | { readonly kind: "file"; readonly bytes: Uint8Array };

const run = promisify(execFile);
const NO_BYTES = new Uint8Array();

/** Reads `REVISION:PATH` (`:PATH` is the index) of the repository that the working directory is in, through git itself. */
export async function readGit(name: string): Promise<Result<GitContent>> {
  try {
    const { stdout } = await run("git", ["rev-parse", "--verify", "--quiet", "--end-of-options", name]);
    const object = stdout.trim();
    const { stdout: type } = await run("git", ["cat-file", "-t", object]);
    if (type.trim() === "blob") return ok({ kind: "file", bytes: (await blobs([object]))[0] ?? NO_BYTES });
    return ok({ kind: "directory", files: await readTree(object) });
  } catch (error) {
    const { code, stderr = "" } = error as NodeJS.ErrnoException & { readonly stderr?: string };
    if (code === "ENOENT") return fail("git is not installed");
    return fail(stderr.trim().split("\n")[0] || `git knows no ${name} here`);
  }
}

/** Hidden names are skipped, as in directories. */
async function readTree(tree: string): Promise<readonly PolicyFile[]> {
  const { stdout } = await run("git", ["ls-tree", "-r", "-z", tree], { maxBuffer: 1 << 30 });
  const listed = stdout.split("\0").flatMap((line) => {
    const [, mode = "", object = "", path = ""] = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
    const hidden = path.split("/").some((part) => part.startsWith("."));
    return /\.ya?ml$/.test(path) && !hidden ? [{ mode, object, path }] : [];
  });
  const plain = listed.filter(({ mode }) => mode.startsWith("100"));
  const bytes = await blobs(plain.map(({ object }) => object));
  const read = new Map(plain.map(({ path }, index) => [path, bytes[index] ?? NO_BYTES]));
  return listed
    .map(({ path }): PolicyFile => {
      const content = read.get(path);
      if (content !== undefined) return { path, bytes: content };
      return { path, bytes: NO_BYTES, unreadable: "a link, which is not followed in a git revision" };
    })
    .sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** The contents of objects, in their order, by one process of git. */
async function blobs(objects: readonly string[]): Promise<readonly Uint8Array[]> {
  if (objects.length === 0) return [];
  const git = spawn("git", ["cat-file", "--batch"], { stdio: ["pipe", "pipe", "ignore"] });
  git.stdin.on("error", () => undefined).end(objects.map((each) => `${each}\n`).join(""));
  const pieces: Buffer[] = [];
  for await (const piece of git.stdout) pieces.push(piece);
  const all = Buffer.concat(pieces);
  const found: Uint8Array[] = [];
  let at = 0;
  for (const object of objects) {
    const end = all.indexOf(10, at);
    const [, size] = /^[0-9a-f]+ blob (\d+)$/.exec(all.toString("latin1", at, end)) ?? [];
    if (size === undefined) throw new Error(`git does not give ${object}`);
    found.push(all.subarray(end + 1, end + 1 + Number(size)));
    at = end + 2 + Number(size);
  }
  return found;
}
