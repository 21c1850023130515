/**
 * Expressions of rules. They are not evaluated here: whoever asks evaluates those that an answer waits for, and asks again. What is
 * not answered yet is in doubt. @see docs/semantics.md §4
 */
import { depend } from "./headers";
import * as L from "./layout";
import { methodLength } from "./matcher";
import { decodedPathLength, DOUBT, FALSE, pathState, TRUE } from "./path";
import { at, field, whensOut, whenState } from "./state";

/** Longer inputs are in doubt. */
const MOST: u32 = 1024;
/** Per expression: [round u32, truth u32]; a truth counts in the round it was given in. */
let round: u32 = 0;
const ASKED: u32 = 3;

/** How many expressions this decision waits for; their places are in `whensOut`. */
export let waiting: u32 = 0;

/** A new question: no answer counts any longer. */
export function forget(): void {
  round++;
  if (round == 0) {
    memory.fill(whenState, 0, <usize>count() << 3);
    round = 1;
  }
}

/** The same question once more. */
export function begin(): void {
  waiting = 0;
}

function count(): u32 {
  return field(L.H_VERSION) == L.VERSION_WHEN ? field(L.H_WHEN_COUNT) : 0;
}

function recordAt(number: u32): usize {
  return at(field(L.H_WHENS)) + <usize>(number - 1) * L.WHEN_SIZE;
}

/** Takes what an expression came to. `index` = its place. */
export function answerWhen(index: u32, truth: u32): void {
  const state = whenState + ((<usize>index) << 3);
  store<u32>(state, round);
  store<u32>(state + 4, truth == TRUE || truth == FALSE ? truth : DOUBT);
}

/** What an expression comes to. One that reads what cannot be seen, or what is in doubt, is in doubt; so is one not answered yet. */
export function truthOf(number: u32, opaque: bool): u32 {
  const state = whenState + ((<usize>(number - 1)) << 3);
  if (load<u32>(state) == round) {
    const truth = load<u32>(state + 4);
    return truth == ASKED ? DOUBT : truth;
  }
  store<u32>(state, round);
  if (isInDoubt(number, opaque)) {
    store<u32>(state + 4, DOUBT);
    return DOUBT;
  }
  store<u32>(state + 4, ASKED);
  store<u32>(whensOut + ((<usize>waiting) << 2), number - 1);
  waiting++;
  return DOUBT;
}

/** Can what it comes to not be told, because of what it reads? */
export function isInDoubt(number: u32, opaque: bool): bool {
  const record = recordAt(number);
  return opaque ? readsRequest(record) : isDoubtful(record);
}

function readsRequest(record: usize): bool {
  const reads = load<u32>(record + L.WHEN_READS);
  return (reads & (L.MASK_METHOD | L.MASK_PATH)) != 0 || load<u32>(record + L.WHEN_HEADERS) != 0;
}

function isDoubtful(record: usize): bool {
  const reads = load<u32>(record + L.WHEN_READS);
  if (reads & L.MASK_METHOD && methodLength > <usize>MOST) return true;
  if (reads & L.MASK_PATH && (pathState() == DOUBT || decodedPathLength() > <usize>MOST)) return true;
  const list = load<u32>(record + L.WHEN_HEADERS);
  if (list == 0) return false;
  const headers = load<u32>(at(list));
  for (let i: u32 = 0; i < headers; i++) {
    const header = depend(load<u32>(at(list) + 4 + (<usize>i << 2)));
    const found = load<u32>(header + 4);
    if (found == DOUBT || (found == TRUE && load<u32>(header + 12) > MOST)) return true;
  }
  return false;
}

/** What an expression reads, whatever it comes to: bits of the mask and WHEN_READS_CLOCK; headers are noted as depended on. */
export function noteReads(number: u32): u32 {
  const record = recordAt(number);
  const list = load<u32>(record + L.WHEN_HEADERS);
  const headers: u32 = list == 0 ? 0 : load<u32>(at(list));
  for (let i: u32 = 0; i < headers; i++) depend(load<u32>(at(list) + 4 + (<usize>i << 2)));
  return load<u32>(record + L.WHEN_READS);
}

/** Does it read the clock? */
export function readsClock(number: u32): bool {
  return (load<u32>(recordAt(number) + L.WHEN_READS) & L.WHEN_READS_CLOCK) != 0;
}
