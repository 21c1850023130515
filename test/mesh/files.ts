import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import type { Target } from "../../src/generate/draft.ts";
import { renderFile } from "../../src/generate/render-file.ts";
import { readFilterCode } from "../../src/pdp/engine-module.ts";
import type { PolicySet } from "../../src/policy/model.ts";

/** Writes what a target makes of a set, flat, and the platform beside it. @throws the notes that are errors */
export async function writeGenerated(
  target: Target,
  set: PolicySet,
  platform: readonly object[],
  directory: string,
): Promise<void> {
  const { files, notes } = target.generate(set, { native: false, filterCode: readFilterCode });
  const errors = notes.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"));
  await mkdir(directory, { recursive: true });
  for (const draft of files) {
    const { path, text } = renderFile(target.name, draft);
    await writeText(join(directory, path.replaceAll("/", "_")), text);
  }
  await writeText(join(directory, "platform.yaml"), platform.map((each) => stringify(each)).join("---\n"));
}

/** Writes a file that nobody else may read, with its directory. */
export async function writeText(file: string, text: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, text, { mode: 0o600 });
  return file;
}
