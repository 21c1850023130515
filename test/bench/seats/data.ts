import { readFile } from "node:fs/promises";
import type { Seen } from "./fortio.ts";
import { PARTS, type PartName } from "./parts.ts";

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
  /** From Envoy to the authorizer, after both loads; 0 where no request is asked about. Not in data from before it was counted. */
  readonly authorizerConnections?: number;
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

/** What one run found of one part. */
export interface PartData {
  /** Of the sources that were measured; ends in `-dirty` where they differed from it. */
  readonly commit: string;
  readonly command: string;
  readonly machine: string;
  readonly versions: Readonly<Record<"node" | "envoy" | "fortio" | "grpc-go" | "go", string> & { "grpc-js"?: string }>;
  readonly settings: RunSettings;
  readonly cells: readonly CellData[];
}

/** Everything that tables, goals and plot are made from: parts are measured one by one, each at a commit of its own. */
export type SeatsData = Readonly<Partial<Record<PartName, PartData>>>;

/** The raw data that are checked in. */
export const DATA_FILE = new URL("data.json", import.meta.url);

/** Reads raw data. */
export async function readData(file: URL | string = DATA_FILE): Promise<SeatsData> {
  return JSON.parse(await readFile(file, "utf8")) as SeatsData;
}

/** JSON with a line for each cell, so that runs can be compared line by line; parts in the order of the page. */
export function formatData(data: SeatsData): string {
  const parts = PARTS.flatMap(({ name }) => {
    const part = data[name];
    return part === undefined ? [] : [`  ${JSON.stringify(name)}: ${formatPart(part)}`];
  });
  return `{\n${parts.join(",\n")}\n}\n`;
}

function formatPart({ cells, ...head }: PartData): string {
  const lines = cells.map((each) => `      ${JSON.stringify(each)}`);
  const above = JSON.stringify(head, null, 2).replace(/\n\}$/, "").replaceAll("\n", "\n  ");
  return `${above},\n    "cells": [\n${lines.join(",\n")}\n    ]\n  }`;
}
