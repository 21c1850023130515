import { readFileSync } from "node:fs";
import { parse } from "yaml";

/** One HTTP request through the gateway and what must come of it; described in http-cases.yaml. */
export interface HttpCase {
  readonly name: string;
  readonly send: {
    readonly as: string;
    readonly port?: number;
    readonly line?: string;
    readonly headers?: readonly string[];
    readonly h2?: Readonly<Record<string, string | string[]>>;
  };
  readonly expect: {
    readonly status: number;
    readonly grpcStatus?: string;
    readonly reason: string;
    readonly rules?: readonly string[];
  };
}

interface CaseFile {
  readonly decisions: readonly HttpCase[];
  readonly targets: readonly HttpCase[];
  readonly paths: readonly HttpCase[];
  readonly spellings: Readonly<Record<string, string>>;
  readonly ambiguous: readonly string[];
}

const file: CaseFile = parse(readFileSync(new URL("http-cases.yaml", import.meta.url), "utf8"));

/** Who may, and why not. */
export const DECISIONS = file.decisions;

/** Whatever a caller can say about where it wants to go. */
export const TARGETS: readonly HttpCase[] = [
  ...Object.entries(file.spellings).map(([host, reason]) => ({
    name: `host spelt ${host}`,
    send: { as: "shop/checkout", line: "GET /v1/items/7", headers: [`host: ${host}`] },
    expect: { status: reason === "allowed-by-rule" ? 200 : 403, reason },
  })),
  ...file.targets,
];

/** Paths, plain and ambiguous. */
export const PATHS: readonly HttpCase[] = [
  ...file.ambiguous.map((path) => ({
    name: `ambiguous path ${path}`,
    send: { as: "shop/checkout", port: 8443, line: `GET ${path}`, headers: ["host: alt.example.com"] },
    expect: { status: 403, reason: "no-matching-rule" },
  })),
  ...file.paths,
];
