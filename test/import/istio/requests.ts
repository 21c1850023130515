import type { Asked } from "./judge.ts";
import { ACCOUNTS, HOSTS, METHODS, NAMESPACES, PATHS, PORTS } from "./mesh-draft.ts";

/** Requests over the whole small world; the many ways of HTTP thinned out by the round. */
export function* requests(round: number): Generator<Asked> {
  let turn = round;
  for (const namespace of NAMESPACES) {
    for (const account of ACCOUNTS) {
      for (const host of HOSTS) {
        for (const port of PORTS) {
          const who = { namespace, account, host, port };
          yield { ...who, kind: "tls", method: "", path: "", headers: {} };
          for (const method of METHODS) {
            turn += 1;
            const path = PATHS[turn % PATHS.length] ?? "/";
            yield {
              ...who,
              kind: "http",
              method,
              path,
              headers: [{}, { "x-team": "red" }, { "x-team": "blue" }][turn % 3] ?? {},
            };
          }
        }
      }
    }
  }
}

/** What is asked in the words of `check`. */
export function questionOf({ namespace, account, kind, host, port, method, path, headers }: Asked): Question {
  const authority = port === 80 ? host : `${host}:${port}`;
  const to = kind === "http" ? `${method} http://${authority}${path}` : `TLS ${host}:${port}`;
  return { from: `${namespace}/${account}`, to, headers };
}

interface Question {
  readonly from: string;
  readonly to: string;
  readonly headers: Readonly<Record<string, string>>;
}
