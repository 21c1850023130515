import { ANY, type Told } from "../../analyze/diff/part-words.ts";
import { EVERYONE } from "../../analyze/diff/words.ts";
import type { Decision } from "../../pdp/decision.ts";
import { count } from "../output.ts";
import { shortSubject } from "../short-subject.ts";
import type { DecidingRule, ReadClass } from "./read.ts";

/** So many things of a kind are named. */
const NAMED = 6;

/** Who, in one line. */
export function whoText({ from }: ReadClass): string {
  if (from.of[0] === EVERYONE) return EVERYONE;
  return toldText({ of: from.of.map(shortSubject), except: from.except.map(shortSubject) }, "everyone else");
}

/** What is asked for, in one line. */
export function whatText(each: ReadClass): string {
  const { kind, hosts, ports, methods, paths, headers, upgrades, expressions } = each;
  const parts = [
    kind === "http" ? (methods === null ? "any method" : toldText(methods, "any method")) : kind.toUpperCase(),
    `${toldText(hosts, "every other host")} port ${toldText(ports, "any")}`,
    paths === null ? null : `path ${toldText(paths, "any")}`,
    ...Object.entries(headers).map(([name, told]) => `${name}: ${toldText(told, "any")}`),
    upgrades === null || isPlain(upgrades) ? null : `upgrade ${toldText(upgrades, "any")}`,
    ...expressions.map((text) => `as ${text} comes out`),
  ];
  return parts.filter((part) => part !== null).join(", ");
}

/** Requests that do not upgrade are what one means anyway. */
function isPlain({ of }: Told): boolean {
  return of.length === 1 && of[0] === "(none)";
}

/** From when until when; null = from now on. */
export function whenText({ times }: ReadClass): string | null {
  if (times.length === 0) return null;
  return times.map(({ from, until }) => (until === null ? `from ${from} on` : `${from} to ${until}`)).join(", ");
}

/** Why one side decides so: by rules, or for a reason. */
export function whyText({ reason }: Decision, rules: readonly DecidingRule[]): string {
  if (rules.length === 0) return reason;
  const shown = rules.slice(0, NAMED).map(({ id, place }) => (place === null ? id : `${id} (${place})`));
  return `${shown.join(", ")}${rules.length > NAMED ? ` and ${rules.length - NAMED} more` : ""}`;
}

function toldText({ of, except }: Told, any: string): string {
  const list = (all: readonly string[]): string =>
    all.length <= NAMED
      ? all.join(", ")
      : `${all.slice(0, NAMED).join(", ")} and ${count(all.length - NAMED, "other")}`;
  const whole = of[0] === ANY ? any : list(of);
  return except.length === 0 ? whole : `${whole} but ${list(except)}`;
}
