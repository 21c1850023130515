import type { CellData, Measured, PartData, SeatsData } from "./data.ts";
import { PARTS, type PartName } from "./parts.ts";

const SEEN: Measured = {
  requests: 500,
  perSecond: 100,
  p50: 1,
  p99: 2,
  p999: 3,
  envoyMicros: 10,
  authorizerMicros: 20,
};
const ROUNDS = 3;

/** Data for tests: all parts whole, every cell the same unless it is changed. */
export function madeData(change: (cell: CellData, part: PartName) => CellData = (cell) => cell): SeatsData {
  return Object.fromEntries(
    PARTS.map(({ name, stations }) => {
      const cells = Array.from({ length: ROUNDS }, (_, round) =>
        stations.map(({ way, rules }) => {
          const bytes = { envoyBytes: 2 ** 26, authorizerBytes: 2 ** 28 };
          const cell = { round, way: way.id, rules, closed: SEEN, open: SEEN, ...bytes, authorizerConnections: 1 };
          return change(cell, name);
        }),
      );
      return [name, { ...HEAD, cells: cells.flat() }];
    }),
  );
}

const HEAD: Omit<PartData, "cells"> = {
  commit: "0123456789abcdef0123456789abcdef01234567",
  command: "npm run bench:seats",
  machine: "a machine",
  versions: { node: "v26", "grpc-js": "1.14", envoy: "1.40", fortio: "1.63", "grpc-go": "1.85", go: "go1.26" },
  settings: { rounds: ROUNDS, seconds: 4, warmUpSeconds: 4, connections: 32, openConnections: 16, openPerSecond: 100 },
};
