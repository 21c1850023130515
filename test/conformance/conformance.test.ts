import { describe, expect, it } from "vitest";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadSuites } from "./suite.ts";
import { cliWay } from "./ways/cli-way.ts";
import { engineWay } from "./ways/engine-way.ts";
import { grpcWay } from "./ways/grpc-way.ts";
import { oracleWay } from "./ways/oracle-way.ts";
import { pdpWay } from "./ways/pdp-way.ts";
import { disagreements } from "./ways/way.ts";

const module = readEngineModule();
const suites = loadSuites(createCanonicaliser(module));
const ways = [oracleWay, engineWay(module), pdpWay(module), grpcWay(module), cliWay()];

it("there are suites for every section of the semantics", () => {
  expect(suites.length).toBeGreaterThanOrEqual(19);
  expect(suites.reduce((sum, suite) => sum + suite.questions.length, 0)).toBeGreaterThan(500);
});

describe.each(suites)("$name", (suite) => {
  it.each(ways)("$name answers as the suite says", async (way) => {
    const open = await way.open(suite);
    if (open === null) {
      expect({ way: way.name, isolated: suite.isolated }).toEqual({ way: "command line", isolated: true });
      return;
    }
    try {
      const { asked, wrong } = await disagreements(open, suite);
      expect(wrong).toEqual([]);
      const questions = suite.questions.filter((each) => way.name !== "command line" || each.written);
      expect(asked).toBe(questions.length);
    } finally {
      await open.close();
    }
  });
});
