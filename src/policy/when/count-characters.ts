/** Characters as CEL counts them: code points. */
export function countCharacters(text: string): bigint {
  let pairs = 0;
  for (let at = 1; at < text.length; at += 1) {
    if (halfAt(text, at) === LOW && halfAt(text, at - 1) === HIGH) pairs += 1;
  }
  return BigInt(text.length - pairs);
}

const HIGH = 0xd800;
const LOW = 0xdc00;

/** Which half of a pair of UTF-16 units the unit would be. */
function halfAt(text: string, at: number): number {
  return text.charCodeAt(at) & 0xfc00;
}
