import { filesWithin } from "../../audit/segment-range.ts";
import { EXIT } from "../exit-code.ts";
import { printFailure } from "../output.ts";

/** The files of a trail with lines of a time, oldest first. Null (after saying why) when there are none. */
export async function filesBetween(
  file: string,
  fromMs: number | null,
  toMs: number | null,
): Promise<readonly string[] | null> {
  const found = await filesWithin(file, fromMs, toMs).catch((error: Error) => error);
  if (!(found instanceof Error) && found.length > 0) return found;
  if (found instanceof Error)
    printFailure(`${file}: ${found.message}`, "name the file that `sallyport serve --audit-to` writes");
  else if ((await filesWithin(file, null, null)).length === 0)
    printFailure(`${file}: there is no such file`, "name the file that `sallyport serve --audit-to` writes");
  else printFailure(`${file}: no file has lines of that time`, "ask for a longer time");
  process.exitCode = EXIT.failure;
  return null;
}
