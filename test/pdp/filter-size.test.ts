import { expect, it } from "vitest";
import { readFilterCode } from "../../src/pdp/engine-module.ts";

it("the filter fits where it has to: within 64 KiB", () => {
  expect(readFilterCode().length).toBeLessThan(64 * 1024);
});
