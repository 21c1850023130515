import type { ChangeClass } from "../../src/analyze/diff/change-class.ts";
import type { Difference } from "../../src/analyze/diff/diff.ts";
import { type Identity, roleOf } from "../../src/analyze/diff/identities.ts";
import { AMBIGUOUS, EXCEPT, OTHER } from "../../src/analyze/diff/labels.ts";
import type { Part } from "../../src/analyze/diff/part-words.ts";
import type { Decision } from "../../src/pdp/decision.ts";
import { coveringPatterns } from "../../src/policy/host-pattern.ts";
import type { PolicySet } from "../../src/policy/model.ts";
import { truthsOf, upgradeOf } from "../oracle/conditions.ts";
import type { Request } from "../oracle/target.ts";

type Sets = readonly [PolicySet, PolicySet];

/** A request, when, and what one of the sets says to it. */
interface AskedRequest {
  readonly request: Request;
  readonly atMs: number;
  readonly decision: Decision;
}

/** The classes that a request lies in, read from what they say, not from how they were found. */
export function classOf({ classes, atoms }: Difference, asked: AskedRequest, sets: Sets): readonly ChangeClass[] {
  const { request, decision } = asked;
  const { target } = decision;
  if (target === null || request.method === "CONNECT") return [];
  if (request.headers.some(([name]) => name === ":protocol") && request.kind === "http") return [];
  const atom = atomOf(target.host, atoms);
  return classes.filter(
    (each) =>
      each.kind === request.kind &&
      each.hosts.includes(atom) &&
      (each.ports.includes(target.port) || otherPort(each, target.port)) &&
      holdsIdentity(each, request.principal, sets) &&
      each.box.parts.every((part) => part.of === "expressions" || part.in.includes(labelOf(part, asked))),
  );
}

function otherPort({ otherThan }: ChangeClass, port: number): boolean {
  return otherThan !== null && !otherThan.includes(port);
}

function atomOf(host: string, atoms: Difference["atoms"]): string | null {
  return [...coveringPatterns(host)].find((each) => atoms.includes(each)) ?? null;
}

function holdsIdentity({ identities, among }: ChangeClass, principal: string, sets: Sets): boolean {
  const [, domain = "", path = ""] = /^spiffe:\/\/([^/]+)(.*)$/s.exec(principal) ?? [];
  const rolesOf = (each: string) => sets.map((set) => roleOf(set, each)).join();
  const alike = among.filter((each) => rolesOf(each.domain) === rolesOf(domain));
  const stand = standFor(alike, path);
  return stand !== undefined && identities.includes(stand);
}

/** The one that stands for all of this path. */
function standFor(alike: readonly Identity[], path: string): Identity | undefined {
  const [, namespace] = /^\/ns\/([^/]+)\/sa\/[^/]+$/.exec(path) ?? [];
  const prefixes = alike.flatMap((each) =>
    each.stands.kind === "prefix" && path.startsWith(`${each.stands.path}/`)
      ? [{ each, length: each.stands.path.length }]
      : [],
  );
  const wholes = alike.filter(({ stands }) => stands.kind === "trustDomain");
  const deepest = Math.max(...prefixes.map(({ length }) => length));
  return (
    alike.find(({ stands }) => stands.kind === "id" && stands.path === path) ??
    alike.find(({ stands }) => stands.kind === "namespace" && stands.namespace === namespace) ??
    prefixes.findLast(({ length }) => length === deepest)?.each ??
    wholes.find((each) =>
      path === "" ? each.path === "" : each.path !== "" && (each.namespace !== null) === (namespace !== undefined),
    )
  );
}

/** What a request is, in the words of a part. */
function labelOf(part: Part, { request, atMs }: AskedRequest): string {
  const labels = [...part.in, ...part.out];
  if (part.of === "methods") return labels.includes(request.method) ? request.method : OTHER;
  if (part.of === "paths") {
    const patterns = [...new Set(labels.flatMap((label) => (label === AMBIGUOUS ? [] : label.split(EXCEPT))))].filter(
      (each) => each !== "",
    );
    const truths = patterns.map((pattern) => truthsOf({ paths: [pattern] }, request).paths);
    if (truths.includes("in doubt")) return AMBIGUOUS;
    return patterns
      .filter((_, index) => truths[index] === "true")
      .sort()
      .join(EXCEPT);
  }
  if (part.of === "times") {
    const starts = labels.map(Number).filter((start) => start <= atMs);
    return String(Math.max(...starts));
  }
  if (part.of === "upgrades") {
    const upgrade = upgradeOf(request);
    if (upgrade === null) return "none";
    return labels.includes(upgrade) ? upgrade : OTHER;
  }
  return headerLabel(part.of.slice("header ".length), labels, request);
}

function headerLabel(name: string, labels: readonly string[], request: Request): string {
  const [first, ...more] = request.headers.filter(([each]) => each === name).map(([, value]) => value);
  if (first === undefined) return "absent";
  const bytes = typeof first === "string" ? new TextEncoder().encode(first) : first;
  const starts = new TextDecoder("latin1").decode(bytes).startsWith("application/grpc");
  const grpc = labels.includes("other grpc") && starts && more.length === 0 ? " grpc" : "";
  const truth = truthsOf({ headers: { [name]: [] } }, request).headers[name];
  if (truth === "in doubt") return `doubt${grpc}`;
  const value = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  return labels.includes(`=${value}`) ? `=${value}` : `other${grpc}`;
}
