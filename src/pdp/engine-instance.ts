import { atOnce } from "./at-once.ts";

/** One instance of the engine: its exports, and typed access to its memory. */
export interface EngineInstance {
  readonly exports: EngineExports;
  /** Address of the answer area. */
  readonly answer: number;
  /** The memory as bytes and as a view. Read them anew after `load` and `reserve`: growing the memory replaces both. */
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Copies a bundle in and takes it. Returns its address, or null when it is not a bundle of this version. */
  load(bundle: Uint8Array): number | null;
  /** The same, a step at a time: whoever answers meanwhile goes on between two. */
  loading(bundle: Uint8Array): Generator<void, number | null>;
  /** The address of the question buffer with room for so many bytes. */
  reserve(bytes: number): number;
}

export interface EngineExports {
  readonly memory: WebAssembly.Memory;
  allocate(bytes: number): number;
  take(address: number, length: number): number;
  reserve(bytes: number): number;
  answerAddress(): number;
  decide(now: number): void;
  decideAgain(now: number): void;
  answerWhen(index: number, truth: number): void;
  readPath(): void;
  readHeader(id: number): number;
  decideAndExplain(now: number): number;
  effectiveFallback(): number;
  holds(subject: number): number;
  explain(subject: number, target: number, item: number): number;
  explainHeader(item: number, index: number): number;
  explainWhen(index: number): number;
  canonicaliseHost(length: number, clusterLength: number): number;
  parseSpiffeId(length: number): number;
}

/** How much of a bundle is copied in a step: under a millisecond, most of which the kernel takes to find the memory. */
const STEP_BYTES = 1 << 20;

/** Instantiates the engine. Addresses come back signed from WebAssembly, hence `>>> 0`. */
export function createEngineInstance(module: WebAssembly.Module): EngineInstance {
  const exports = new WebAssembly.Instance(module).exports as unknown as EngineExports;
  let question = 0;
  let capacity = 0;
  const instance: { -readonly [Key in keyof EngineInstance]: EngineInstance[Key] } = {
    exports,
    answer: exports.answerAddress() >>> 0,
    bytes: Buffer.from(exports.memory.buffer),
    view: new DataView(exports.memory.buffer),
    load: (bundle) => atOnce(instance.loading(bundle)),
    *loading(bundle: Uint8Array): Generator<void, number | null> {
      const address = exports.allocate(bundle.length) >>> 0;
      renew();
      for (let at = 0; at < bundle.length; at += STEP_BYTES) {
        instance.bytes.set(bundle.subarray(at, at + STEP_BYTES), address + at);
        yield;
      }
      const taken = exports.take(address, bundle.length) !== 0;
      renew();
      return taken ? address : null;
    },
    reserve(bytes: number): number {
      if (bytes > capacity) {
        capacity = Math.max(bytes * 2, 1 << 16);
        question = exports.reserve(capacity) >>> 0;
        renew();
      }
      return question;
    },
  };
  // Reading `memory.buffer` is a call into V8: it happens only where memory can have grown.
  const renew = (): void => {
    instance.bytes = Buffer.from(exports.memory.buffer);
    instance.view = new DataView(exports.memory.buffer);
  };
  return instance;
}
