/** Makes a failing value smaller, part by part, as long as it still fails: drops keys and elements, shortens to simpler texts. */
export function minimise<T>(value: T, fails: (value: T) => boolean): T {
  let current = value;
  let budget = 3000;
  for (let smaller = true; smaller; ) {
    smaller = false;
    for (const candidate of smallerOnes(current)) {
      if (budget-- <= 0) return current;
      if (!fails(candidate as T)) continue;
      current = candidate as T;
      smaller = true;
      break;
    }
  }
  return current;
}

/** Every value that is one step smaller, the boldest steps first. */
function* smallerOnes(value: unknown): Generator<unknown> {
  if (typeof value === "string") {
    for (const simple of ["", "/", "GET", "80"]) if (simple.length < value.length) yield simple;
    return;
  }
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  if (Array.isArray(value)) {
    for (let at = value.length - 1; at >= 0; at--) yield value.toSpliced(at, 1);
    for (const [at, each] of value.entries()) {
      for (const smaller of smallerOnes(each)) yield value.with(at, smaller);
    }
    return;
  }
  const entries = Object.entries(value);
  for (const [key] of entries) yield Object.fromEntries(entries.filter(([other]) => other !== key));
  for (const [key, each] of entries) {
    for (const smaller of smallerOnes(each)) yield { ...value, [key]: smaller };
  }
}
