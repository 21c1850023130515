import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** What the bundle's revision needs of `node:crypto`, for a browser: SHA-256 at once, which Web Crypto gives only later. */
export function createHash(algorithm: "sha256"): Hash {
  if (algorithm !== "sha256") throw new TypeError(`there is no ${algorithm} here`);
  const hash = sha256.create();
  const own: Hash = {
    update(bytes) {
      hash.update(bytes);
      return own;
    },
    digest: () => bytesToHex(hash.digest()),
  };
  return own;
}

interface Hash {
  update(bytes: Uint8Array): Hash;
  digest(encoding: "hex"): string;
}
