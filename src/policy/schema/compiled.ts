import { z } from "zod";
import { KINDS, type Kind } from "./kinds.ts";

/** Making code for a kind takes as long as checking some documents of it. */
const MANY = 20;

type Checkers = { [K in Kind]?: (typeof KINDS)[K] };

/** How often each kind was asked for, and the code made for those that were asked for often. */
const asked = new Map<Kind, number>();
const made: Checkers = {};

/**
 * The schema of a kind, to check documents by; for kinds of which there are many documents as code that was made for it, which takes what is as it should be in a seventh of the
 * time. What is not, the schema itself judges: nobody can tell the two apart.
 */
export function checkerOf<K extends Kind>(kind: K): (typeof KINDS)[K] {
  const known: Checkers[K] = made[kind];
  if (known !== undefined) return known;
  const times = (asked.get(kind) ?? 0) + 1;
  asked.set(kind, times);
  if (times < MANY) return KINDS[kind];
  const code = compiled(kind);
  made[kind] = code;
  return code;
}

/** The schema of a kind as code. */
export function compiled<K extends Kind>(kind: K): (typeof KINDS)[K] {
  return z.compile(KINDS[kind]);
}
