import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { type ChainState, signedText } from "./chain.ts";

/** Puts signatures on seals. */
export type SealSigner = (state: ChainState) => string;

/** Why a seal's signature is not accepted; null when it is. */
export type SealCheck = (state: ChainState, signature: string | null) => string | null;

/** @throws when the text is no PEM of an Ed25519 private key */
export function createSealSigner(pem: string): SealSigner {
  const key = requireEd25519(createPrivateKey(pem));
  return (state) => sign(null, signedText(state), key).toString("base64");
}

/** @throws when the text is no PEM of an Ed25519 public key (or of a certificate or private key that has one) */
export function createSealCheck(pem: string): SealCheck {
  const key = requireEd25519(createPublicKey(pem));
  return (state, signature) => {
    if (signature === null) return "is not signed";
    return verify(null, signedText(state), key, Buffer.from(signature, "base64")) ? null : "is signed by another key";
  };
}

function requireEd25519(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== "ed25519") throw new Error(`it is a key of type ${key.asymmetricKeyType}, not ed25519`);
  return key;
}
