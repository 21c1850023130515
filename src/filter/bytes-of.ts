/** Texts for host calls: constants made once when the filter is loaded, and what the host gave, until it is let go. */

/** A constant text in UTF-8: [length u32, bytes]. Zero characters divide names of a property's path. */
export function constant(text: string): usize {
  const length = String.UTF8.byteLength(text);
  const address = heap.alloc(length + 4);
  store<u32>(address, <u32>length);
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, address + 4);
  return address;
}

// @ts-ignore: decorator
@inline
export function bytesOf(text: usize): usize {
  return text + 4;
}

// @ts-ignore: decorator
@inline
export function lengthOf(text: usize): usize {
  return load<u32>(text);
}

/** Where host calls put what they give: an address and a length. */
export const GIVEN: usize = memory.data(4, 4);
export const GIVEN_LENGTH: usize = memory.data(4, 4);

// @ts-ignore: decorator
@inline
export function given(): usize {
  return load<u32>(GIVEN);
}

// @ts-ignore: decorator
@inline
export function givenLength(): usize {
  return load<u32>(GIVEN_LENGTH);
}

/** Lets go of what the last call gave. */
export function release(): void {
  const address = given();
  if (address != 0) heap.free(address);
  store<u32>(GIVEN, 0);
  store<u32>(GIVEN_LENGTH, 0);
}
