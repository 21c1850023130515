import type { PolicyFile } from "../parse-cache.ts";
import { BASE_FILES, type Example } from "./code-entry.ts";

const MARK = "▸";

/** An example as files to load, and the marked place as `file:line:column`: the start of its first file if none is marked. */
export interface ReadExample {
  readonly files: readonly PolicyFile[];
  readonly at: string;
}

/** Takes the mark out of an example and puts the base files beside it. */
export function readExample(example: Example): ReadExample {
  const encoder = new TextEncoder();
  const own = Object.entries(example.files);
  const base = example.bare === true ? [] : Object.entries(BASE_FILES).filter(([path]) => !(path in example.files));
  const files = [...base, ...own].map(([path, content]): PolicyFile => {
    if (content === null) return { path, bytes: new Uint8Array(), unreadable: "permission denied" };
    return { path, bytes: typeof content === "string" ? encoder.encode(content.replace(MARK, "")) : content };
  });
  const marked = own.find(([, content]) => typeof content === "string" && content.includes(MARK));
  if (marked === undefined) return { files, at: `${own[0]?.[0] ?? "."}:1:1` };
  const before = String(marked[1]).split(MARK)[0] ?? "";
  const lines = before.split("\n");
  return { files, at: `${marked[0]}:${lines.length}:${(lines.at(-1) ?? "").length + 1}` };
}
