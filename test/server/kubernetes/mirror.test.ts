import { afterEach, expect, it } from "vitest";
import type { ResourceKind } from "../../../src/policy/resource-definition.ts";
import { createMirror, type Mirror, type ResourceApi } from "../../../src/server/kubernetes/mirror.ts";
import type { PolicyObject } from "../../../src/server/kubernetes/policy-object.ts";
import { objectOf } from "./objects.ts";

type Take = (event: string, object: PolicyObject) => void;

let mirror: Mirror | null = null;
afterEach(() => mirror?.close());

/** An API server that does what the test says; policies alone change. */
function createApi(): ResourceApi & {
  items: PolicyObject[];
  refuse: string | null;
  lists: number;
  from: string[];
  tell: Take;
  end(): void;
} {
  let take: Take = () => {};
  let end = (): void => {};
  const api = {
    items: [objectOf("shop", "a", { version: "5" })],
    refuse: null as string | null,
    lists: 0,
    from: [] as string[],
    tell: (event: string, object: PolicyObject) => take(event, object),
    end: () => end(),
    async list(kind: ResourceKind) {
      if (api.refuse !== null) throw new Error(api.refuse);
      if (kind === "EgressPolicy") api.lists += 1;
      return { version: "10", items: kind === "EgressPolicy" ? [...api.items] : [] };
    },
    async watch(kind: ResourceKind, version: string, changed: Take, signal: AbortSignal) {
      if (api.refuse !== null) throw new Error(api.refuse);
      if (kind === "EgressPolicy") {
        api.from.push(version);
        take = changed;
      }
      await new Promise<void>((resolve) => {
        if (kind === "EgressPolicy") end = resolve;
        signal.addEventListener("abort", () => resolve());
      });
    },
  };
  return api;
}

const names = () => mirror?.objects?.map(({ metadata }) => metadata.name).sort();

it("knows nothing until every kind was listed, then follows changes and goes on from the last one", async () => {
  const api = createApi();
  let changes = 0;
  mirror = createMirror(api, () => {
    changes += 1;
  });
  expect(mirror.objects).toBeNull();
  expect(mirror.problem).toContain("not asked yet");
  await expect.poll(names).toEqual(["a"]);
  await expect.poll(() => mirror?.problem).toBeNull();
  await expect.poll(() => api.from).toEqual(["10"]);
  const before = changes;
  api.tell("ADDED", objectOf("shop", "b", { version: "11" }));
  api.tell("BOOKMARK", objectOf("", "", { version: "17" }));
  expect(names()).toEqual(["a", "b"]);
  expect(changes).toBe(before + 1);
  api.tell("DELETED", objectOf("shop", "a", { version: "18" }));
  expect(names()).toEqual(["b"]);
  api.end();
  await expect.poll(() => api.from).toEqual(["10", "18"]);
  expect(api.lists).toBe(1);
});

it("lists anew what is too old to go on from: what is gone meanwhile is gone", async () => {
  const api = createApi();
  mirror = createMirror(api, () => {});
  await expect.poll(() => api.from).toEqual(["10"]);
  api.items = [objectOf("shop", "c", { version: "30" })];
  api.tell("ERROR", { code: 410 } as unknown as PolicyObject);
  api.end();
  await expect.poll(names).toEqual(["c"]);
  expect(api.lists).toBe(2);
});

it("keeps what it knows while the API server refuses, says so, and goes on by itself", async () => {
  const api = createApi();
  mirror = createMirror(api, () => {});
  await expect.poll(() => api.from.length).toBe(1);
  api.refuse = "Forbidden";
  api.end();
  await expect.poll(() => mirror?.problem).toContain("EgressPolicy: Forbidden");
  expect(names()).toEqual(["a"]);
  api.items = [];
  api.refuse = null;
  await expect.poll(() => mirror?.problem, { timeout: 10_000 }).toBeNull();
  expect(names()).toEqual([]);
});
