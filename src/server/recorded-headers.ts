import type { HeaderPair } from "../pdp/decision.ts";
import { textOf } from "./http-headers.ts";

/** Which headers' values go into the audit trail. */
export interface RecordedHeaders {
  /** In lower case. */
  readonly names: readonly string[];
  /** Names and values of those that came, repeated ones joined; null when none are recorded at all. */
  read(pairs: readonly HeaderPair[]): readonly (readonly [name: string, value: string])[] | null;
}

/** The headers of `include`, without those that a pattern of `exclude` matches: exclusion wins. `*` is any text; names and patterns hold nothing else that is special. */
export function createRecordedHeaders(include: readonly string[], exclude: readonly string[]): RecordedHeaders {
  const excluded = exclude.map((pattern) => new RegExp(`^${pattern.replaceAll("*", ".*")}$`));
  const names = [...new Set(include)].filter((name) => !excluded.some((pattern) => pattern.test(name)));
  return {
    names,
    read(pairs) {
      if (include.length === 0) return null;
      return names.flatMap((name) => {
        const values = pairs.flatMap(([each, value]) => (each === name ? [textOf(value)] : []));
        return values.length === 0 ? [] : [[name, values.join(", ")] as const];
      });
    },
  };
}
