import type { Outcome, Question, Suite } from "../suite.ts";

/** One way to decide, opened on a suite. */
export interface OpenWay {
  /** The way's answer; null when this way cannot be asked this question. */
  ask(question: Question): Promise<Outcome | null>;
  close(): Promise<void>;
}

/** A way to decide. `open` gives null for suites that the way cannot load. */
export interface Way {
  readonly name: string;
  open(suite: Suite): Promise<OpenWay | null>;
}

/** The comparable part of an answer, with rules in a fixed order. */
export function outcome(answer: Outcome): Outcome {
  const { effect, reason, rules, shadow } = answer;
  return { effect, reason, rules: [...rules].sort(), shadow };
}

/** Questions that a way answers differently from the suite, as text to read; and how many it answered. */
export async function disagreements(way: OpenWay, suite: Suite): Promise<{ asked: number; wrong: string[] }> {
  let asked = 0;
  const wrong: string[] = [];
  for (const question of suite.questions) {
    const answer = await way.ask(question);
    if (answer === null) continue;
    asked += 1;
    const actual = JSON.stringify(outcome(answer));
    const expected = JSON.stringify(outcome(question.expected));
    if (actual !== expected) wrong.push(`${question.name}: expected ${expected}, got ${actual}`);
  }
  return { asked, wrong };
}
