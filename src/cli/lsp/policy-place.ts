import { realpathSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The path of a document in a policy directory, with `/`; null when it is no policy file of it. */
export function policyPath(directory: string, uri: string): string | null {
  const file = fileOf(uri);
  if (file === null || !/\.ya?ml$/.test(file)) return null;
  for (const [root, place] of [
    [directory, file],
    [real(directory), join(real(dirname(file)), basename(file))],
  ] as const) {
    const path = relative(root, place).split(sep).join("/");
    if (path !== "" && !path.startsWith("../") && !/(^|\/)\./.test(path)) return path;
  }
  return null;
}

/** The file that a URI names; null when it names none. */
export function fileOf(uri: string): string | null {
  try {
    return fileURLToPath(uri);
  } catch {
    return null;
  }
}

/** Without links; as it is when there is no such directory yet. */
function real(directory: string): string {
  try {
    return realpathSync(directory);
  } catch {
    return directory;
  }
}
