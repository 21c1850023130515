import { LAYOUT } from "../bundle/layout.ts";
import type { CheckInput, CheckKind, HeaderPair } from "./decision.ts";
import type { EngineInstance } from "./engine-instance.ts";

const KINDS: Readonly<Record<CheckKind, number>> = {
  http: LAYOUT.KIND_HTTP,
  tls: LAYOUT.KIND_TLS,
  tcp: LAYOUT.KIND_TCP,
};

/** Headers the engine reads whatever the bundle says. */
const ALWAYS = ["host", "upgrade", "connection", "content-type", ":protocol"];

/**
 * Writes questions into the engine's buffer. Of the headers it passes on only those that the engine or a rule of the
 * bundle reads, every repeated pair included, so that what no rule names costs nothing.
 */
export function createQuestionWriter(
  engine: EngineInstance,
  ruleHeaders: ReadonlySet<string>,
): (input: CheckInput) => void {
  const names = new Set([...ALWAYS, ...ruleHeaders]);
  return (input) => {
    const headers = input.headers.length === 0 ? [] : input.headers.filter(([name]) => names.has(name));
    const address = engine.exports.reserve(capacity(input, headers)) >>> 0;
    const bytes = engine.bytes();
    const view = engine.view();
    let at = address + LAYOUT.Q_TEXT;
    const text = (field: number, value: string): void => {
      const length = bytes.write(value, at);
      view.setUint32(address + field, length, true);
      at += length;
    };
    view.setUint32(address + LAYOUT.Q_KIND, KINDS[input.kind], true);
    text(LAYOUT.Q_PRINCIPAL, input.principal);
    text(LAYOUT.Q_HOST, input.host);
    if (input.port === null) view.setUint32(address + LAYOUT.Q_PORT, LAYOUT.NONE, true);
    else text(LAYOUT.Q_PORT, input.port);
    text(LAYOUT.Q_METHOD, input.method);
    text(LAYOUT.Q_PATH, input.path);
    view.setUint32(address + LAYOUT.Q_HEADERS, headers.length, true);
    for (const [name, value] of headers) {
      const start = at;
      at += 8;
      at += bytes.write(name, at);
      view.setUint32(start, at - start - 8, true);
      const valueStart = at;
      if (typeof value === "string") at += bytes.write(value, at);
      else {
        bytes.set(value, at);
        at += value.length;
      }
      view.setUint32(start + 4, at - valueStart, true);
    }
  };
}

/** An upper bound: a UTF-16 code unit takes at most three bytes of UTF-8. */
function capacity(input: CheckInput, headers: readonly HeaderPair[]): number {
  const texts = input.principal.length + input.host.length + input.method.length + input.path.length;
  let size = LAYOUT.Q_TEXT + 3 * (texts + (input.port?.length ?? 0));
  for (const [name, value] of headers) size += 8 + 3 * name.length + 3 * value.length;
  return size;
}
