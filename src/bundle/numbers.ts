/** A number for each entry of a list. `Uint32Array.from` would make an object for each, too. */
export function numbersOf<T>(list: readonly T[], of: (entry: T, index: number) => number): Uint32Array {
  const numbers = new Uint32Array(list.length);
  for (let i = 0; i < list.length; i++) numbers[i] = of(list[i] as T, i);
  return numbers;
}
