import { parseAllDocuments } from "yaml";
import { decide } from "../../oracle/decide.ts";
import { type PlacedDocument, readWorld } from "../../oracle/documents.ts";
import type { Suite } from "../suite.ts";
import type { Way } from "./way.ts";

/** The oracle, on the raw documents of a suite: nothing of src reads or decides anything here. */
export const oracleWay: Way = {
  name: "oracle",
  async open(suite) {
    const broken = suite.isolated ? ["broken"] : [];
    const documents = placedDocuments(suite).filter(({ place }) => !broken.includes(place));
    const world = readWorld(documents, broken);
    return {
      async ask({ input, nowMs }) {
        return decide(world, input, nowMs);
      },
      async close() {},
    };
  },
};

function placedDocuments(suite: Suite): PlacedDocument[] {
  const policies = suite.files.filter(({ path }) => !path.endsWith(".test.yaml"));
  return policies.flatMap(({ path, bytes }) => {
    const place = path.includes("/") ? (path.split("/")[0] ?? "") : "";
    return parseAllDocuments(Buffer.from(bytes).toString("utf8")).map((each) => ({ place, doc: each.toJS() }));
  });
}
