import { isMap, isScalar, isSeq } from "yaml";
import { startOf } from "./yaml-features.ts";

const SCALAR = 0;
const MAP = 1;
const LIST = 2;
/** How many bits tell these apart. */
const KIND_BITS = 2;
const KIND_MASK = 3;
/** A key that the text spells as it is named. */
const VERBATIM = -1;
const COLON = 0x3a;

/**
 * Where the parts of a document begin: offsets in its file, noted in the order in which they stand there. A part is its offset and its kind in one number; for a map or list the
 * place behind its last part follows; before each value of a map stand the key's offset and which name it has. Numbers in one array: as objects they would be half of what a set of policies takes.
 */
export class Places {
  /** Of the file. */
  readonly text: string;
  private readonly notes: number[] = [];
  private readonly names: string[] = [];
  /** The item of a list that was last come by: lists are walked in order. */
  private last = { list: -1, index: 0, item: 0 };

  constructor(text: string) {
    this.text = text;
  }

  /** Notes a value that is neither map nor list. */
  scalar(offset: number): void {
    this.notes.push((offset << KIND_BITS) | SCALAR);
  }

  /** Begins a map, whose keys are noted each before its value. Returns what `close` asks for. */
  openMap(offset: number): number {
    return this.notes.push((offset << KIND_BITS) | MAP, 0);
  }

  /** Begins a list. Returns what `close` asks for. */
  openList(offset: number): number {
    return this.notes.push((offset << KIND_BITS) | LIST, 0);
  }

  /** Ends a map or list. */
  close(opened: number): void {
    this.notes[opened - 1] = this.notes.length;
  }

  /** Notes a key that the text spells as it is, with a colon right behind. */
  plainKey(offset: number): void {
    this.notes.push(offset, VERBATIM);
  }

  /** Notes a key, however the text spells it. */
  key(offset: number, name: string): void {
    // In the text one with a colon in it begins like one that ends there.
    if (!name.includes(":") && this.spells(offset, name)) this.plainKey(offset);
    else this.notes.push(offset, this.names.push(name) - 1);
  }

  /** Walks to `path` as far as it goes; returns the offset of the value there, or of its key. */
  locate(path: readonly (string | number)[], key: boolean): number {
    let here = 0;
    for (let depth = 0; depth < path.length; depth++) {
      const part = path[depth];
      const kind = this.note(here) & KIND_MASK;
      if (kind === SCALAR) break;
      const entry = kind === LIST ? this.itemOf(here, Number(part)) : this.entryOf(here, String(part));
      if (entry < 0) break;
      if (kind === MAP && key && depth === path.length - 1) return this.note(entry);
      here = kind === MAP ? entry + 2 : entry;
    }
    return this.note(here) >> KIND_BITS;
  }

  private note(place: number): number {
    return this.notes[place] ?? 0;
  }

  /** What stands behind a value. */
  private after(place: number): number {
    return (this.note(place) & KIND_MASK) === SCALAR ? place + 1 : this.note(place + 1);
  }

  /** The place of an item; -1 when there is none. */
  private itemOf(list: number, index: number): number {
    const { last } = this;
    if (last.list !== list || last.index > index) this.last = { list, index: 0, item: list + 2 };
    const end = this.after(list);
    for (; this.last.index < index && this.last.item < end; this.last.index += 1) {
      this.last.item = this.after(this.last.item);
    }
    return this.last.item < end && this.last.index === index ? this.last.item : -1;
  }

  /** The place of a key; -1 when there is none. */
  private entryOf(map: number, name: string): number {
    const end = this.after(map);
    for (let entry = map + 2; entry < end; entry = this.after(entry + 2)) {
      if (this.isNamed(entry, name)) return entry;
    }
    return -1;
  }

  private isNamed(entry: number, name: string): boolean {
    const named = this.note(entry + 1);
    return named === VERBATIM ? this.spells(this.note(entry), name) : this.names[named] === name;
  }

  private spells(offset: number, name: string): boolean {
    return this.text.startsWith(name, offset) && this.text.charCodeAt(offset + name.length) === COLON;
  }
}

/** Notes the places of what the library has read. A key that leads to nothing stands for its value. */
export function notePlaces(places: Places, node: unknown): void {
  if (isSeq(node)) {
    const list = places.openList(startOf(node));
    for (const item of node.items) notePlaces(places, item);
    places.close(list);
  } else if (isMap(node)) {
    const map = places.openMap(startOf(node));
    for (const { key, value } of node.items) {
      if (!isScalar(key)) continue;
      places.key(startOf(key), String(key.value));
      if (value === null) places.scalar(startOf(key));
      else notePlaces(places, value);
    }
    places.close(map);
  } else places.scalar(startOf(node));
}
