/** Room beyond what is needed, so that what grows a little from load to load stays in its place. */
const ROOM = 1.25;

/**
 * Two places, in turn, for bytes that another thread holds on to: what was put last stays as it is while the next is written, the one before it does not. V8 does not
 * count shared memory against the thread that sees it, so nobody collects garbage because of it; therefore it is used again rather than left.
 */
export function createSharedPlaces(): (bytes: Uint8Array) => Uint8Array {
  let spare = new SharedArrayBuffer(0);
  let used = new SharedArrayBuffer(0);
  return (bytes) => {
    if (spare.byteLength < bytes.length) spare = new SharedArrayBuffer(Math.ceil(bytes.length * ROOM));
    [spare, used] = [used, spare];
    const view = new Uint8Array(used, 0, bytes.length);
    view.set(bytes);
    return view;
  };
}
