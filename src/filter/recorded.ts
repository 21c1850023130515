/** Which headers' values are recorded: the server names them with each answer to a poll. */
import { equals } from "../engine/bytes";
import * as q from "./question";
import * as w from "./writer";

/** Names that commas divide, in lower case; 0 for none at all. */
let names: usize = 0;
let namesLength: usize = 0;

/** Takes a list, which the caller must not use any more. */
export function recordHeaders(list: usize, length: usize): void {
  if (names != 0) heap.free(names);
  names = list;
  namesLength = length;
}

/** Their values, repeated ones joined; nothing where none are recorded. */
export function putRecordedHeaders(): void {
  if (names == 0) return;
  w.putText(',"headers":{');
  let first = true;
  for (let from: usize = 0; from < namesLength; ) {
    let end = from;
    while (end < namesLength && load<u8>(names + end) != 44) end++;
    if (putValues(names + from, end - from, first)) first = false;
    from = end + 1;
  }
  w.putByte(125);
}

function putValues(name: usize, length: usize, first: bool): bool {
  const count = load<u32>(q.pairs);
  let text = q.pairs + 4 + (<usize>count << 3);
  let found = false;
  for (let i: u32 = 0; i < count; i++) {
    const nameLength = <usize>load<u32>(q.pairs + 4 + (<usize>i << 3));
    const valueLength = <usize>load<u32>(q.pairs + 8 + (<usize>i << 3));
    const value = text + nameLength + 1;
    if (nameLength == length && equals(text, name, length)) {
      if (found) w.putText(", ");
      else {
        if (!first) w.putByte(44);
        w.putByte(34);
        w.putEscaped(name, length);
        w.putText('":"');
      }
      w.putEscaped(value, valueLength);
      found = true;
    }
    text = value + valueLength + 1;
  }
  if (found) w.putByte(34);
  return found;
}
