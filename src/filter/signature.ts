/**
 * Who says so: with keys in the plugin's configuration, policies and leases count only when the holder of one of them has signed what they come to.
 * Envoy verifies. @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/wasm_filter (foreign functions)
 */
import { bytesOf, constant, GIVEN, GIVEN_LENGTH, given, givenLength, lengthOf, release } from "./bytes-of";
import { hexBytes } from "./hex";
import { callForeign } from "./host-calls";
import { broken, putField, readFrom, readNumber } from "./message";
import { keyAt, keyCount } from "./settings";
import * as w from "./writer";

const VERIFY: usize = constant("verify_signature");
const HASH: usize = constant("sha256");
/** Bytes of the longest ECDSA signature on P-256 in DER, and room to see that one is longer. */
const MOST: usize = 80;
const signature: usize = memory.data(80, 8);

/** Whether a signature is asked for at all. */
export function isWanted(): bool {
  return keyCount != 0;
}

/** Has the holder of a key signed the text in the writer's buffer? The signature is hexadecimal digits of DER. */
export function isSigned(digits: usize, length: usize): bool {
  if (length > 2 * MOST || !hexBytes(digits, length, signature)) return false;
  const textLength = w.written();
  const text = heap.alloc(textLength);
  memory.copy(text, w.buffer, textLength);
  let signed = false;
  for (let i: u32 = 0; i < keyCount && !signed; i++) signed = isSignedBy(keyAt(i), length / 2, text, textLength);
  heap.free(text);
  return signed;
}

/** Envoy's message `VerifySignatureArguments` for one, `VerifySignatureResult` for the other. */
function isSignedBy(key: usize, length: usize, text: usize, textLength: usize): bool {
  w.begin();
  putField(0x0a, bytesOf(HASH), lengthOf(HASH));
  putField(0x12, bytesOf(key), lengthOf(key));
  putField(0x1a, signature, length);
  putField(0x22, text, textLength);
  if (callForeign(bytesOf(VERIFY), lengthOf(VERIFY), w.buffer, w.written(), GIVEN, GIVEN_LENGTH) != 0) return false;
  const end = given() + givenLength();
  readFrom(given(), end);
  const right = readNumber(end) == 1 && !broken;
  release();
  return right;
}
