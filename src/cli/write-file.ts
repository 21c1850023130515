import { randomUUID } from "node:crypto";
import { open, realpath, rename, rm, stat } from "node:fs/promises";

/** Writes beside the target and renames, so that a reader sees the old bytes or the new, never a part. @throws what the file system says */
export async function writeAtomically(file: string, bytes: Uint8Array | string, mode = 0o644): Promise<void> {
  const draft = `${file}.${randomUUID()}.tmp`;
  try {
    const handle = await open(draft, "wx", mode);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** The same for a file that is there: a link stays a link, and who may read it stays. @throws what the file system says */
export async function rewriteAtomically(file: string, text: string): Promise<void> {
  const place = await realpath(file);
  await writeAtomically(place, text, (await stat(place)).mode & 0o777);
}
