import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { PolicyFile } from "../policy/parse-cache.ts";

/** What a policy directory holds at one instant. */
export interface PolicyDirectory {
  /** All `*.yaml` and `*.yml` files, sorted by path. */
  readonly files: readonly PolicyFile[];
  /** The directories to watch for changes. */
  readonly directories: readonly string[];
}

const MAX_DEPTH = 16;
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const ATTEMPTS = 5;

/** All policy files below a directory, sorted by path. @throws when it cannot be read */
export async function readPolicyDirectory(dir: string): Promise<PolicyFile[]> {
  return [...(await scanPolicyDirectory(dir)).files];
}

/**
 * Reads a policy directory. Hidden names are skipped. A directory that holds `..data` is a mounted ConfigMap: its files
 * are all read through the one target that `..data` has at that instant, and the whole is read again when that target
 * vanishes meanwhile, so that two versions are never mixed. @throws when it cannot be read
 */
export async function scanPolicyDirectory(dir: string): Promise<PolicyDirectory> {
  for (let attempt = 1; ; attempt += 1) {
    const files: PolicyFile[] = [];
    const directories: string[] = [];
    try {
      await scan(dir, "", 0, files, directories);
      files.sort((one, other) => (one.path < other.path ? -1 : 1));
      return { files, directories };
    } catch (error) {
      const vanished = (error as NodeJS.ErrnoException).code === "ENOENT" && directories.length > 0;
      if (!vanished || attempt === ATTEMPTS) throw error;
      await setTimeout(20);
    }
  }
}

async function scan(
  dir: string,
  path: string,
  depth: number,
  files: PolicyFile[],
  directories: string[],
): Promise<void> {
  if (depth > MAX_DEPTH) throw new Error(`${path} is nested more than ${MAX_DEPTH} directories deep`);
  const names = await readdir(dir);
  directories.push(dir);
  const places = new Map(names.map((name) => [name, join(dir, name)]));
  if (names.includes("..data")) {
    const root = await realpath(join(dir, "..data"));
    for (const name of await readdir(root)) places.set(name, join(root, name));
  }
  for (const [name, place] of places) {
    if (name.startsWith(".")) continue;
    const local = path === "" ? name : `${path}/${name}`;
    const found = await stat(place);
    if (found.isDirectory()) await scan(place, local, depth + 1, files, directories);
    else if (found.isFile() && /\.ya?ml$/.test(name))
      files.push({ path: local, bytes: await read(place, local, found.size) });
  }
}

async function read(place: string, path: string, size: number): Promise<Uint8Array> {
  if (size > MAX_FILE_BYTES) throw new Error(`${path} is larger than ${MAX_FILE_BYTES} bytes`);
  return readFile(place);
}
