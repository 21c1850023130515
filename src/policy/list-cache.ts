/** Lists that many rules write alike. As one they are checked once, take little to keep, and are seen to be the same without a look into them. */
export interface ListCache<T> {
  /** What the texts amount to. `make` is asked for those that were not met before, and again as long as it finds anything wrong. */
  get(texts: readonly (string | number)[], make: () => { readonly list: T; readonly isValid: boolean }): T;
}

export function createListCache<T>(): ListCache<T> {
  const kept = new Map<string, T>();
  return {
    get(texts, make) {
      const key = JSON.stringify(texts);
      const known = kept.get(key);
      if (known !== undefined) return known;
      const { list, isValid } = make();
      if (isValid) kept.set(key, list);
      return list;
    },
  };
}
