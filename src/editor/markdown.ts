import type { SourcePosition } from "../policy/model.ts";
import { printable } from "../policy/printable.ts";

/** A text of a policy as it is: nothing in it means something to Markdown. */
export function code(text: string): string {
  return `\`${printable(text).replaceAll("`", "'")}\``;
}

/** `file:line`. */
export function placeText({ file, line }: SourcePosition): string {
  return code(`${file}:${line}`);
}
