/** The engine's hash (src/engine/bytes.ts is its other half): FNV-1a steps and a finaliser that keeps key spaces apart. */
export function hashBytes(seed: number, bytes: Uint8Array): number {
  let hash = seed;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 16777619);
  return hash >>> 0;
}

/** The same over the bytes from last to first: how hosts are hashed. */
export function hashBytesReversed(seed: number, bytes: Uint8Array): number {
  let hash = seed;
  for (let i = bytes.length - 1; i >= 0; i--) hash = Math.imul(hash ^ (bytes[i] ?? 0), 16777619);
  return hash >>> 0;
}

/** Ends a hash over a key of a `kind` and `number`. */
export function hashEnd(hash: number, kind: number, number: number): number {
  let h = hash ^ Math.imul(kind, 0x9e3779b1) ^ Math.imul(number, 0x85ebca77);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return (h ^ (h >>> 15)) >>> 0;
}
