/** One instance of the engine: its exports, and typed access to its memory. */
export interface EngineInstance {
  readonly exports: EngineExports;
  /** Address of the answer area. */
  readonly answer: number;
  /** The memory as bytes and as a view; renewed when the memory grows. */
  bytes(): Buffer;
  view(): DataView;
}

export interface EngineExports {
  readonly memory: WebAssembly.Memory;
  allocate(bytes: number): number;
  take(address: number, length: number): number;
  reserve(bytes: number): number;
  answerAddress(): number;
  decide(now: number): void;
  canonicaliseHost(length: number, clusterLength: number): number;
  parseSpiffeId(length: number): number;
}

/** Instantiates the engine. Addresses come back signed from WebAssembly: use `>>> 0`. */
export function createEngineInstance(module: WebAssembly.Module): EngineInstance {
  const exports = new WebAssembly.Instance(module).exports as unknown as EngineExports;
  let bytes = Buffer.from(exports.memory.buffer);
  let view = new DataView(exports.memory.buffer);
  const renew = (): void => {
    if (bytes.length !== 0 && bytes.buffer === exports.memory.buffer) return;
    bytes = Buffer.from(exports.memory.buffer);
    view = new DataView(exports.memory.buffer);
  };
  return {
    exports,
    answer: exports.answerAddress() >>> 0,
    bytes() {
      renew();
      return bytes;
    },
    view() {
      renew();
      return view;
    },
  };
}
