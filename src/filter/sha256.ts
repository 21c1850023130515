/** SHA-256 (FIPS 180-4), to know a bundle by its content. */

const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
  0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
  0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
  0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
  0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
  0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
const START: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);
const W: usize = memory.data(64 * 4, 8);
const LAST: usize = memory.data(128, 8);

/** The digest after `sha256`: eight words, big end first. */
export const digest: usize = memory.data(32, 8);

function block(address: usize): void {
  for (let i: usize = 0; i < 16; i++) store<u32>(W + i * 4, bswap<u32>(load<u32>(address + i * 4)));
  for (let i: usize = 16; i < 64; i++) {
    const before = load<u32>(W + (i - 15) * 4);
    const last = load<u32>(W + (i - 2) * 4);
    const s0 = rotr<u32>(before, 7) ^ rotr<u32>(before, 18) ^ (before >>> 3);
    const s1 = rotr<u32>(last, 17) ^ rotr<u32>(last, 19) ^ (last >>> 10);
    store<u32>(W + i * 4, load<u32>(W + (i - 16) * 4) + s0 + load<u32>(W + (i - 7) * 4) + s1);
  }
  let a = load<u32>(digest);
  let b = load<u32>(digest + 4);
  let c = load<u32>(digest + 8);
  let d = load<u32>(digest + 12);
  let e = load<u32>(digest + 16);
  let f = load<u32>(digest + 20);
  let g = load<u32>(digest + 24);
  let h = load<u32>(digest + 28);
  for (let i: usize = 0; i < 64; i++) {
    const s1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25);
    const one = h + s1 + ((e & f) ^ (~e & g)) + load<u32>(K + i * 4) + load<u32>(W + i * 4);
    const s0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22);
    const two = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + one;
    d = c;
    c = b;
    b = a;
    a = one + two;
  }
  store<u32>(digest, load<u32>(digest) + a);
  store<u32>(digest + 4, load<u32>(digest + 4) + b);
  store<u32>(digest + 8, load<u32>(digest + 8) + c);
  store<u32>(digest + 12, load<u32>(digest + 12) + d);
  store<u32>(digest + 16, load<u32>(digest + 16) + e);
  store<u32>(digest + 20, load<u32>(digest + 20) + f);
  store<u32>(digest + 24, load<u32>(digest + 24) + g);
  store<u32>(digest + 28, load<u32>(digest + 28) + h);
}

/** Puts the digest of bytes into `digest`, as bytes. */
export function sha256(address: usize, length: usize): void {
  memory.copy(digest, START, 32);
  const whole = length & ~(<usize>63);
  for (let i: usize = 0; i < whole; i += 64) block(address + i);
  const rest = length - whole;
  memory.fill(LAST, 0, 128);
  memory.copy(LAST, address + whole, rest);
  store<u8>(LAST + rest, 0x80);
  const size: usize = rest < 56 ? 64 : 128;
  store<u64>(LAST + size - 8, bswap<u64>(<u64>length << 3));
  block(LAST);
  if (size == 128) block(LAST + 64);
  for (let i: usize = 0; i < 32; i += 4) store<u32>(digest + i, bswap<u32>(load<u32>(digest + i)));
}
