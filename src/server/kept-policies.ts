import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { compilerDigest } from "./compiler-digest.ts";
import type { LoadOutcome } from "./load-outcome.ts";
import { digestOf } from "./policy-digest.ts";
import { scanPolicyDirectory } from "./read-policies.ts";

type Loaded = Extract<LoadOutcome, { kind: "loaded" }>;

/** What a server finds of its policies when it starts again. */
export type KeptPolicies =
  | { readonly kind: "kept"; readonly outcome: Loaded }
  /** Nothing is kept for these policy files and this compiler. */
  | { readonly kind: "none" }
  /** There is something that is not to be trusted, and why. */
  | { readonly kind: "refused"; readonly why: string };

interface Content {
  /** Of the compiler that made it. */
  readonly compiler: string;
  readonly outcome: Omit<Loaded, "directories">;
}

/** Magic, the SHA-256 of all that follows, then a serialized `Content`. */
const MAGIC = Buffer.from("sallyport-kept-1\n");
const DIGEST_BYTES = 32;
const NAME = "policies.kept";
/** What 200,000 rules a namespace and all their text cannot reach. */
const MAX_BYTES = 1024 * 1024 * 1024;

/** The bytes of what is kept of a load. */
export function keptBytes(outcome: Loaded): Buffer {
  const { directories: _, ...rest } = outcome;
  // What the next run changed against this one is not known to it, as ever in a first load.
  const summary = { ...rest.summary, changes: null };
  const content: Content = { compiler: compilerDigest(), outcome: { ...rest, summary } };
  const payload = serialize(content);
  return Buffer.concat([MAGIC, createHash("sha256").update(payload).digest(), payload]);
}

/** Puts it in the place of what was kept before, whole or not at all, readable by this user alone. @throws when it cannot be written */
export async function writeKept(state: string, bytes: Buffer): Promise<void> {
  await mkdir(state, { recursive: true, mode: 0o700 });
  const draft = join(state, `${NAME}.tmp`);
  await rm(draft, { force: true });
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
  await rename(draft, join(state, NAME));
}

/**
 * What is kept for exactly the policy files that lie in `directory` now, made by exactly this compiler. What another user could have written, what is not whole
 * and what belongs to other files or another compiler is not used. Never rejects.
 */
export async function readKept(state: string, directory: string): Promise<KeptPolicies> {
  try {
    const payload = await readVerified(join(state, NAME));
    if (payload === null) return { kind: "none" };
    if (typeof payload === "string") return { kind: "refused", why: payload };
    const { compiler, outcome }: Content = deserialize(payload);
    if (compiler !== compilerDigest()) return { kind: "none" };
    const { files, directories } = await scanPolicyDirectory(directory);
    if (outcome.digest !== digestOf(files)) return { kind: "none" };
    return { kind: "kept", outcome: { ...outcome, directories, isKept: true } };
  } catch (error) {
    return { kind: "refused", why: error instanceof Error ? error.message : String(error) };
  }
}

/** The payload; null when there is no file, a text when it is not to be trusted. */
async function readVerified(path: string): Promise<Buffer | string | null> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (file === null) return null;
  try {
    return await verify(file);
  } finally {
    await file.close();
  }
}

async function verify(file: FileHandle): Promise<Buffer | string> {
  const { mode, uid, size } = await file.stat();
  if (uid !== process.getuid?.()) return "it belongs to another user";
  if ((mode & 0o777) !== 0o600)
    return `its mode is ${(mode & 0o777).toString(8)}, not 600: others could have written it`;
  if (size > MAX_BYTES) return "it is too large";
  const bytes = await file.readFile();
  const start = MAGIC.length + DIGEST_BYTES;
  if (bytes.length < start || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return "it is not of this format";
  const payload = bytes.subarray(start);
  const digest = createHash("sha256").update(payload).digest();
  return digest.equals(bytes.subarray(MAGIC.length, start)) ? payload : "its digest is not that of its contents";
}
