import { LAYOUT } from "../bundle/layout.ts";
import type { CheckInput, CheckKind, HeaderPair } from "./decision.ts";
import type { EngineInstance } from "./engine-instance.ts";

const KINDS: Readonly<Record<CheckKind, number>> = {
  http: LAYOUT.KIND_HTTP,
  tls: LAYOUT.KIND_TLS,
  tcp: LAYOUT.KIND_TCP,
};

/** Headers the engine reads whatever the bundle says. */
export const ALWAYS_READ: readonly string[] = ["host", "upgrade", "connection", "content-type", ":protocol"];

const NO_HEADERS: readonly HeaderPair[] = [];

/**
 * Writes questions into the engine's buffer. Of the headers it passes on only `names`, every repeated pair included, so that what no rule names costs nothing.
 */
export function createQuestionWriter(engine: EngineInstance, names: ReadonlySet<string>): (input: CheckInput) => void {
  return (input) => {
    const headers = input.headers.length === 0 ? NO_HEADERS : input.headers.filter(([name]) => names.has(name));
    const address = engine.reserve(capacity(input, headers));
    engine.view.setUint32(address + LAYOUT.Q_KIND, KINDS[input.kind], true);
    const end = writeTexts(engine, address, input);
    writeHeaders(engine, address, end, headers);
  };
}

/** One write for all five texts: when it took one byte a character, the lengths are the strings' own. */
function writeTexts(engine: EngineInstance, address: number, input: CheckInput): number {
  const { bytes, view } = engine;
  const { principal, host, method, path } = input;
  const port = input.port ?? "";
  const all = principal + host + port + method + path;
  const start = address + LAYOUT.Q_TEXT;
  if (bytes.write(all, start, "utf8") !== all.length) return writeEachText(engine, address, input);
  view.setUint32(address + LAYOUT.Q_PRINCIPAL, principal.length, true);
  view.setUint32(address + LAYOUT.Q_HOST, host.length, true);
  view.setUint32(address + LAYOUT.Q_PORT, input.port === null ? LAYOUT.NONE : port.length, true);
  view.setUint32(address + LAYOUT.Q_METHOD, method.length, true);
  view.setUint32(address + LAYOUT.Q_PATH, path.length, true);
  return start + all.length;
}

/** Beyond ASCII each text is written alone: halves of a surrogate pair at a boundary must not meet. */
function writeEachText({ bytes, view }: EngineInstance, address: number, input: CheckInput): number {
  let at = address + LAYOUT.Q_TEXT;
  const write = (field: number, text: string): void => {
    const length = bytes.write(text, at, "utf8");
    view.setUint32(address + field, length, true);
    at += length;
  };
  write(LAYOUT.Q_PRINCIPAL, input.principal);
  write(LAYOUT.Q_HOST, input.host);
  write(LAYOUT.Q_PORT, input.port ?? "");
  if (input.port === null) view.setUint32(address + LAYOUT.Q_PORT, LAYOUT.NONE, true);
  write(LAYOUT.Q_METHOD, input.method);
  write(LAYOUT.Q_PATH, input.path);
  return at;
}

function writeHeaders(
  { bytes, view }: EngineInstance,
  address: number,
  from: number,
  headers: readonly HeaderPair[],
): void {
  view.setUint32(address + LAYOUT.Q_HEADERS, headers.length, true);
  let at = from;
  for (const [name, value] of headers) {
    const nameLength = bytes.write(name, at + 8, "utf8");
    const start = at + 8 + nameLength;
    let valueLength = value.length;
    if (typeof value === "string") valueLength = bytes.write(value, start, "utf8");
    else bytes.set(value, start);
    view.setUint32(at, nameLength, true);
    view.setUint32(at + 4, valueLength, true);
    at = start + valueLength;
  }
}

/** An upper bound: a UTF-16 code unit takes at most three bytes of UTF-8. */
function capacity(input: CheckInput, headers: readonly HeaderPair[]): number {
  const texts = input.principal.length + input.host.length + input.method.length + input.path.length;
  let size = LAYOUT.Q_TEXT + 3 * (texts + (input.port?.length ?? 0));
  for (const [name, value] of headers) size += 8 + 3 * name.length + 3 * value.length;
  return size;
}
