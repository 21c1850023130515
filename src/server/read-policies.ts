import type { BigIntStats } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { PolicyFile } from "../policy/parse-cache.ts";
import { type Disk, directDisk, waitingDisk } from "./disk.ts";
import { createReadFiles, type ReadFiles } from "./read-files.ts";

/** What a policy directory holds at one instant. */
export interface PolicyDirectory {
  /** All `*.yaml` and `*.yml` files, sorted by path. */
  readonly files: readonly PolicyFile[];
  /** The directories to watch for changes. */
  readonly directories: readonly string[];
}

const MAX_DEPTH = 16;
const MAX_DIRECTORIES = 1_000;
const ATTEMPTS = 5;
const NOTHING = new Uint8Array();

/** All policy files below a directory, sorted by path; for commands, see `directDisk`. @throws when the directory itself cannot be read */
export async function readPolicyDirectory(dir: string): Promise<PolicyFile[]> {
  return [...(await scanPolicyDirectory(dir, createReadFiles(), directDisk)).files];
}

/**
 * Reads a policy directory. Hidden names are skipped. A directory that holds `..data` is a mounted ConfigMap: its files
 * are all read through the one target that `..data` has at that instant, and the whole is read again when that target
 * vanishes meanwhile, so that two versions are never mixed. What cannot be read is told as a file that is unreadable: the
 * affair of the namespace it lies in. @param known What earlier scans read, which is not read again where it is the same.
 * @throws when the directory itself cannot be read
 */
export async function scanPolicyDirectory(
  dir: string,
  known: ReadFiles = createReadFiles(),
  disk: Disk = waitingDisk,
): Promise<PolicyDirectory> {
  for (let attempt = 1; ; attempt += 1) {
    const files: PolicyFile[] = [];
    const directories: string[] = [];
    // What is not there any more may have been there a moment ago: the last attempt takes it for a fact.
    const isPassing = (error: unknown): boolean => attempt < ATTEMPTS && codeOf(error) === "ENOENT";
    try {
      const found: Found = { disk, files, unread: [], directories, below: 0, isPassing };
      await scan(dir, "", 0, found);
      await readAll(found, known);
      known.sweep();
      files.sort((one, other) => (one.path < other.path ? -1 : 1));
      return { files, directories };
    } catch (error) {
      if (!isPassing(error) || directories.length === 0) throw error;
      await setTimeout(20);
    }
  }
}

interface Found {
  readonly disk: Disk;
  readonly files: PolicyFile[];
  readonly unread: UnreadFile[];
  readonly directories: string[];
  /** Directories below the present one of those at the top. */
  below: number;
  /** Is this worth another attempt at the whole? */
  isPassing(error: unknown): boolean;
}

interface UnreadFile {
  readonly path: string;
  readonly place: string;
  readonly what: BigIntStats;
}

async function scan(dir: string, path: string, depth: number, found: Found): Promise<void> {
  if (depth > MAX_DEPTH) throw new Error(`nested more than ${MAX_DEPTH} directories deep`);
  // Links can make a few directories look like very many.
  if (depth === 1) found.below = 0;
  found.below += 1;
  if (found.below > MAX_DIRECTORIES) throw new Error(`more than ${MAX_DIRECTORIES} directories`);
  const { disk } = found;
  const names = await disk.names(dir);
  found.directories.push(dir);
  const places = new Map(names.map((name) => [name, join(dir, name)]));
  if (names.includes("..data")) {
    const root = await disk.realpath(join(dir, "..data"));
    for (const name of await disk.names(root)) places.set(name, join(root, name));
  }
  for (const [name, place] of places) {
    if (name.startsWith(".")) continue;
    const local = path === "" ? name : `${path}/${name}`;
    const isPolicy = /\.ya?ml$/.test(name);
    try {
      const what = await disk.stat(place);
      if (what.isDirectory()) await scan(place, local, depth + 1, found);
      else if (what.isFile() && isPolicy) found.unread.push({ path: local, place, what });
    } catch (error) {
      if (found.isPassing(error)) throw error;
      // A directory at the top is a namespace, whatever there is of it.
      found.files.push({
        path: path === "" && !isPolicy ? `${local}/` : local,
        bytes: NOTHING,
        unreadable: whyOf(error),
      });
    }
  }
}

/** So many files are open at once. */
const READ_AT_ONCE = 32;

/** Reads what was found: one after the other, most of the time would go by in waiting. */
async function readAll({ disk, files, unread, isPassing }: Found, known: ReadFiles): Promise<void> {
  const readOne = async ({ path, place, what }: UnreadFile): Promise<PolicyFile> => {
    try {
      return { path, bytes: await known.bytes(place, what, () => disk.read(place, what.size)) };
    } catch (error) {
      if (isPassing(error)) throw error;
      return { path, bytes: NOTHING, unreadable: whyOf(error) };
    }
  };
  for (let at = 0; at < unread.length; at += READ_AT_ONCE) {
    files.push(...(await Promise.all(unread.slice(at, at + READ_AT_ONCE).map(readOne))));
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** Without the place, which is another on every machine. */
function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return codeOf(error) === undefined ? error.message : error.message.replace(/, \w+( '.*')?$/s, "");
}
