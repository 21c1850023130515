import { readFile } from "node:fs/promises";
import type { Seen } from "./fortio.ts";

/** One load on one cell: what the client saw, and CPU microseconds a request. */
export interface Measured extends Seen {
  readonly envoyMicros: number;
  /** 0 where nobody is asked. */
  readonly authorizerMicros: number;
}

/** One cell in one round. */
export interface CellData {
  /** Counted from 0. */
  readonly round: number;
  readonly way: string;
  readonly rules: number;
  /** As many requests as are answered. */
  readonly closed: Measured;
  /** A fixed number of requests a second. */
  readonly open: Measured;
  readonly envoyBytes: number;
  readonly authorizerBytes: number;
}

/** How a run was made. */
export interface RunSettings {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
  readonly openConnections: number;
  readonly openPerSecond: number;
}

/** Everything that the table and the plot are made from. */
export interface SeatsData {
  /** Of the sources that were measured; ends in `-dirty` where they differed from it. */
  readonly commit: string;
  readonly command: string;
  readonly machine: string;
  readonly versions: Readonly<Record<"node" | "envoy" | "fortio" | "grpc-go" | "go", string>>;
  readonly settings: RunSettings;
  readonly cells: readonly CellData[];
}

export const DATA_FILE = new URL("data.json", import.meta.url);

/** The raw data that is checked in. */
export async function readData(): Promise<SeatsData> {
  return JSON.parse(await readFile(DATA_FILE, "utf8")) as SeatsData;
}

/** JSON with a line for each cell, so that runs can be compared line by line. */
export function formatData({ cells, ...head }: SeatsData): string {
  const lines = cells.map((each) => `    ${JSON.stringify(each)}`);
  return `${JSON.stringify(head, null, 2).replace(/\n\}$/, "")},\n  "cells": [\n${lines.join(",\n")}\n  ]\n}\n`;
}
