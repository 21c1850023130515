import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Decision } from "../../src/pdp/decision.ts";
import type { Engine } from "../../src/pdp/engine.ts";
import { createPdp } from "../../src/pdp/pdp.ts";
import { aim, aimsOf, type Question } from "./aim.ts";
import { budgetFor, runProperty } from "./budget.ts";
import { show } from "./compare.ts";
import { engineFor } from "./pipeline.ts";
import { realise } from "./realise.ts";
import { requestDraft } from "./request-draft.ts";
import { setDraft } from "./set-draft.ts";

const budget = budgetFor(60);
/** What a kept answer is taken to take: in the smallest cache not even two find room. */
const ANSWER_BYTES = 500;
const STEPS = 300;

/** A step of a schedule: which of the questions, at which of the times, and whether other policies come first. */
const steps = fc.array(
  fc.record({ question: fc.nat({ max: 23 }), time: fc.nat({ max: 23 }), reload: fc.noBias(fc.nat({ max: 99 })) }),
  { minLength: STEPS, maxLength: STEPS },
);

test("what the cache answers is what the engine answers, whatever is asked, reloaded, past and pushed out", {
  timeout: budget.timeoutMs,
}, () => {
  const tally = { asked: 0, hits: 0, reloads: 0 };
  const property = fc.property(
    setDraft,
    setDraft,
    fc.array(requestDraft, { minLength: 24, maxLength: 24 }),
    steps,
    fc.constantFrom(1_500, 8_000, 1 << 20),
    (one, other, drafts, schedule, maxCacheBytes) => {
      const sets = [realise(one), realise(other)];
      const engines = sets.map(engineFor);
      const questions = drafts.map((draft, n): Question => aim(draft, aimsOf(sets[n % 2] as (typeof sets)[number])));
      const pdp = createPdp<Decision>({ render: (decision) => decision, sizeOf: () => ANSWER_BYTES, maxCacheBytes });
      let engine = engines[0] as Engine;
      pdp.install(engine);
      for (const { question, time, reload } of schedule) {
        if (reload < 2) {
          engine = engines[reload] as Engine;
          pdp.install(engine);
          tally.reloads += 1;
        }
        const { request } = questions[question] as Question;
        const { nowMs } = questions[time] as Question;
        const answer = pdp.decide(request, nowMs);
        tally.asked += 1;
        if (answer?.hit === true) tally.hits += 1;
        const expected = engine.decide(request, nowMs);
        // How long it holds is told from the moment it was first given.
        const plain = ({ validUntil: _, ...rest }: Decision) => rest;
        if (answer === null || !isDeepStrictEqual(plain(answer.value), plain(expected))) {
          throw new Error([show(request), String(nowMs), show(answer), show(expected)].join("\n"));
        }
        if (pdp.cacheBytes > maxCacheBytes)
          throw new Error(`the cache holds ${pdp.cacheBytes} bytes of ${maxCacheBytes}`);
      }
    },
  );
  runProperty(property, budget);
  process.stderr.write(
    `cached and uncached: ${tally.asked} asked, ${tally.hits} from the cache, ${tally.reloads} reloads\n`,
  );
  expect(tally.hits).toBeGreaterThan(tally.asked / 10);
  expect(tally.reloads).toBeGreaterThan(100);
});
