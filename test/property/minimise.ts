/** Texts that are simpler than most. */
const SIMPLE = ["", "/", "GET", "80"];

/**
 * Makes a failing value smaller, part by part, as long as it still fails: drops elements and keys, simplifies texts.
 * Asks `fails` at most 4,000 times.
 */
export function minimise<T>(value: T, fails: (value: T) => boolean): T {
  let budget = 4000;
  let current = value;
  for (let changed = true; changed; ) {
    changed = false;
    current = shrink(current, (candidate) => {
      if (budget-- <= 0 || !fails(candidate as T)) return false;
      changed = true;
      return true;
    }) as T;
  }
  return current;
}

/** One pass over a value; `accept` says whether a smaller one will do in its place. */
function shrink(value: unknown, accept: (candidate: unknown) => boolean): unknown {
  if (typeof value === "string") return SIMPLE.find((each) => each.length < value.length && accept(each)) ?? value;
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) {
    let list: unknown[] = value;
    for (let at = list.length - 1; at >= 0; at--) if (accept(list.toSpliced(at, 1))) list = list.toSpliced(at, 1);
    for (const at of list.keys())
      list = list.with(
        at,
        shrink(list[at], (each) => accept(list.with(at, each))),
      );
    return list;
  }
  let record: Record<string, unknown> = { ...value };
  for (const key of Object.keys(record)) {
    const { [key]: _, ...rest } = record;
    if (accept(rest)) record = rest;
  }
  for (const [key, each] of Object.entries(record)) {
    record = { ...record, [key]: shrink(each, (smaller) => accept({ ...record, [key]: smaller })) };
  }
  return record;
}
