import { readFilterCode } from "../../src/pdp/engine-module.ts";

/** The filter's own memory and callbacks, as far as they are used here. */
interface Filter {
  readonly memory: WebAssembly.Memory;
  proxy_on_memory_allocate(bytes: number): number;
  proxy_on_configure(context: number, bytes: number): number;
  proxy_on_request_headers(context: number, count: number, end: number): number;
}

/** What stands in for Envoy. */
export interface Host {
  readonly nowMs: number;
  /** Fills with bytes of chance. */
  random(bytes: Uint8Array): void;
}

const CONFIGURATION = "bundle=bundles\ncheck=authorizer\n";

/**
 * Loads the filter into a host that has no server: every request is refused because nobody answers. Returns what gives it a request and
 * takes its report as it was written.
 */
export function loadFilter({ nowMs, random }: Host): (headers: readonly Pair[]) => Buffer {
  let request: Buffer = Buffer.alloc(0);
  let report: Buffer = Buffer.alloc(0);
  const bytesAt = (at: number, length: number): Buffer => Buffer.from(filter.memory.buffer, at, length);
  const give = (bytes: Buffer, at: number, lengthAt: number): number => {
    const address = filter.proxy_on_memory_allocate(bytes.length);
    bytesAt(address, bytes.length).set(bytes);
    bytesAt(at, 4).writeUInt32LE(address);
    bytesAt(lengthAt, 4).writeUInt32LE(bytes.length);
    return 0;
  };
  const clock = (at: number): number => {
    bytesAt(at, 8).writeBigUInt64LE(BigInt(nowMs) * 1_000_000n);
    return 0;
  };
  const calls: Record<string, (...args: number[]) => number> = {
    proxy_get_property: (_path, _length, at = 0, lengthAt = 0) => give(Buffer.from("80"), at, lengthAt),
    proxy_set_property(_path, _length, at = 0, length = 0) {
      report = Buffer.from(bytesAt(at, length));
      return 0;
    },
    proxy_get_header_map_pairs: (_map, at = 0, lengthAt = 0) => give(request, at, lengthAt),
    proxy_get_buffer_bytes: (_kind, _start, _most, at = 0, lengthAt = 0) =>
      give(Buffer.from(CONFIGURATION), at, lengthAt),
    proxy_get_current_time_nanoseconds: (at = 0) => clock(at),
    proxy_grpc_call: () => 1,
  };
  const worked = (): number => 0;
  const env = new Proxy(calls, { get: (all, name) => all[String(name)] ?? worked });
  const wasi = {
    clock_time_get: (_clock: number, _precision: bigint, at: number) => clock(at),
    random_get(at: number, length: number) {
      random(bytesAt(at, length));
      return 0;
    },
  };
  const module = new WebAssembly.Module(readFilterCode());
  const { exports } = new WebAssembly.Instance(module, { env, wasi_snapshot_preview1: wasi });
  const filter = exports as unknown as Filter;
  if (filter.proxy_on_configure(1, CONFIGURATION.length) !== 1) throw new Error("the filter refuses its configuration");
  return (headers) => {
    request = pairsOf(headers);
    filter.proxy_on_request_headers(2, headers.length, 1);
    return report;
  };
}

export type Pair = readonly [name: string, value: Buffer];

/** Pairs as the host gives them. @see src/filter/host-calls.ts */
function pairsOf(headers: readonly Pair[]): Buffer {
  const lengths = headers.flatMap(([name, value]) => [name.length, value.length]);
  const numbers = Buffer.from(new Uint32Array([headers.length, ...lengths]).buffer);
  const end = Buffer.alloc(1);
  return Buffer.concat([numbers, ...headers.flatMap(([name, value]) => [Buffer.from(name), end, value, end])]);
}
