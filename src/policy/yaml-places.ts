import { isMap, isScalar, isSeq } from "yaml";
import { startOf } from "./yaml-features.ts";

/** Where the parts of a document begin: offsets in its file. A value that is neither map nor list is its offset alone. */
export type Places = number | MapPlaces | ListPlaces;

/** `keys[i]` = where the key `names[i]` begins, `values[i]` = where what it leads to does. */
export interface MapPlaces {
  readonly start: number;
  readonly names: readonly string[];
  readonly keys: readonly number[];
  readonly values: readonly Places[];
}

export interface ListPlaces {
  readonly start: number;
  readonly items: readonly Places[];
}

/** The places of what the library has read. A key that leads to nothing stands for its value. */
export function placesOf(node: unknown): Places {
  if (isSeq(node)) return { start: startOf(node), items: node.items.map(placesOf) };
  if (!isMap(node)) return startOf(node);
  const names: string[] = [];
  const keys: number[] = [];
  const values: Places[] = [];
  for (const { key, value } of node.items) {
    if (!isScalar(key)) continue;
    names.push(String(key.value));
    keys.push(startOf(key));
    values.push(value === null ? startOf(key) : placesOf(value));
  }
  return { start: startOf(node), names, keys, values };
}

/** Walks to `path` as far as it goes; returns the offset of the value there, or of its key. */
export function locate(places: Places, path: readonly (string | number)[], key: boolean): number {
  let here = places;
  for (const [index, part] of path.entries()) {
    if (typeof here === "number") break;
    let next: Places | undefined;
    if ("items" in here) next = here.items[Number(part)];
    else {
      const entry = here.names.indexOf(String(part));
      next = key && index === path.length - 1 ? here.keys[entry] : here.values[entry];
    }
    if (next === undefined) break;
    here = next;
  }
  return typeof here === "number" ? here : here.start;
}
