/**
 * The few functions of the old metadata proposal that the certificate library's injector asks for. Import it first.
 */
const store = new WeakMap<object, Map<unknown, unknown>>();

Object.assign(Reflect, {
  defineMetadata(key: unknown, value: unknown, target: object) {
    const known = store.get(target) ?? new Map<unknown, unknown>();
    store.set(target, known.set(key, value));
  },
  getOwnMetadata: (key: unknown, target: object) => store.get(target)?.get(key),
  hasOwnMetadata: (key: unknown, target: object) => store.get(target)?.has(key) ?? false,
  getMetadata(key: unknown, target: object): unknown {
    for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at)) {
      if (store.get(at)?.has(key)) return store.get(at)?.get(key);
    }
    return undefined;
  },
});
