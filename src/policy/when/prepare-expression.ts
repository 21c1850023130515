import type { ASTNode } from "@marcbachmann/cel-js";
import { parseInstant } from "../instant.ts";
import { countCharacters } from "./count-characters.ts";
import type { ExpressionInputs } from "./inputs.ts";
import { durationMs } from "./literal-text.ts";
import { createSearch } from "./search.ts";

/** What evaluating came to instead of a value: CEL's error. */
export class Doubt {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

/** Instants and lengths of time are numbers, in milliseconds; whole numbers are of 64 bits. */
type Value = string | bigint | boolean | number;
export type Evaluation = (inputs: ExpressionInputs) => Value | Doubt;
type Kind = "string" | "int" | "bool" | "instant" | "duration";

/** A part of an expression, and what kind of value it comes to. */
interface Part {
  readonly kind: Kind;
  readonly run: Evaluation;
}

/**
 * Makes a function of an expression that was read, walked and whose types were checked. Evaluating throws nothing: an error
 * is a value, which costs no more than others. Nothing takes longer than `walkExpression` counts.
 * @throws RangeError for a tree that the language does not have
 * @see CEL language definition: "Runtime Errors", "Logical Operators", "List of Standard Definitions"
 */
export function prepareExpression(root: ASTNode): Evaluation {
  return prepare(root).run;
}

function prepare(node: ASTNode): Part {
  switch (node.op) {
    case "value":
      return literal(node.args);
    case "id":
      if (node.args === "now") return { kind: "instant", run: ({ nowMs }) => nowMs };
      throw unknown(node);
    case ".": {
      const [of, name] = node.args;
      if (of.op !== "id") throw unknown(node);
      return of.args === "headers" ? header(name) : field(of.args, name, node);
    }
    case "[]":
      return header(textOf(node.args[1]));
    case "in":
      return isIn(...node.args);
    case "call":
      return call(node.args[0], argument(node.args[1]), node);
    case "rcall":
      return method(...node.args, node);
    case "?:":
      return choice(...node.args);
    case "&&":
    case "||":
      return joined(node.op === "||", ...node.args);
    case "!_":
      return checked("bool", [prepare(node.args)], (value) => !value);
    case "-_":
      return checked("int", [prepare(node.args)], (value) => int64(-(value as bigint)));
    default:
      return binary(node);
  }
}

function literal(value: unknown): Part {
  switch (typeof value) {
    case "string":
      return { kind: "string", run: () => value };
    case "bigint":
      return { kind: "int", run: () => value };
    case "boolean":
      return { kind: "bool", run: () => value };
    default:
      throw new RangeError(`no value of this language: ${typeof value}`);
  }
}

function header(name: string): Part {
  const absent = new Doubt(`no such key: ${name}`);
  return { kind: "string", run: ({ headers }) => headers.get(name) ?? absent };
}

function field(root: string, name: string, node: ASTNode): Part {
  if (root === "target") {
    if (name === "port") return { kind: "int", run: ({ target }) => BigInt(target.port) };
    if (isTargetText(name)) return { kind: "string", run: ({ target }) => target[name] };
  }
  if (root === "subject" && isSubjectText(name)) return { kind: "string", run: ({ subject }) => subject[name] };
  throw unknown(node);
}

const TARGET_TEXTS = ["host", "service", "method", "path"] as const;
const SUBJECT_TEXTS = ["id", "trustDomain", "namespace", "serviceAccount"] as const;

function isTargetText(name: string): name is (typeof TARGET_TEXTS)[number] {
  return TARGET_TEXTS.some((each) => each === name);
}

function isSubjectText(name: string): name is (typeof SUBJECT_TEXTS)[number] {
  return SUBJECT_TEXTS.some((each) => each === name);
}

function isIn(left: ASTNode, right: ASTNode): Part {
  if (right.op === "id") {
    const name = textOf(left);
    return { kind: "bool", run: ({ headers }) => headers.has(name) };
  }
  if (right.op !== "list") throw unknown(right);
  const sought = prepare(left);
  const list = right.args.map(prepare);
  const run: Evaluation = (inputs) => {
    const value = sought.run(inputs);
    if (value instanceof Doubt) return value;
    let found = false;
    for (const each of list) {
      // The list comes to something only if all of it does.
      const other = each.run(inputs);
      if (other instanceof Doubt) return other;
      found ||= other === value;
    }
    return found;
  };
  return { kind: "bool", run };
}

function call(name: string, of: ASTNode, node: ASTNode): Part {
  switch (name) {
    case "has": {
      const header = of.op === "." ? of.args[1] : "";
      return { kind: "bool", run: ({ headers }) => headers.has(header) };
    }
    case "size":
      return size(prepare(of));
    case "timestamp": {
      const instant = parseInstant(textOf(of));
      if (!instant.ok) throw unknown(node);
      return { kind: "instant", run: () => instant.value };
    }
    case "duration": {
      const ms = durationMs(textOf(of));
      return { kind: "duration", run: () => ms };
    }
    default:
      throw unknown(node);
  }
}

function size(of: Part): Part {
  return checked("int", [of], (text) => countCharacters(text as string));
}

function method(name: string, receiver: ASTNode, args: readonly ASTNode[], node: ASTNode): Part {
  const of = prepare(receiver);
  if (name === "size") return size(of);
  if (of.kind !== "string") return clock(name, of, node);
  const sought = argument(args);
  switch (name) {
    case "startsWith":
      return checked("bool", [of, prepare(sought)], (text, part) => (text as string).startsWith(part as string));
    case "endsWith":
      return checked("bool", [of, prepare(sought)], (text, part) => (text as string).endsWith(part as string));
    case "contains": {
      const { found } = createSearch(textOf(sought));
      return checked("bool", [of], (text) => found(text as string));
    }
    default:
      throw unknown(node);
  }
}

/** Of an instant, in UTC. */
const CLOCK: Readonly<Record<string, (date: Date) => number>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
};
/** Of a length of time: how many of these it is, whole ones. */
const SPANS: Readonly<Record<string, number>> = { getHours: 3_600_000, getMinutes: 60_000, getSeconds: 1_000 };

function clock(name: string, of: Part, node: ASTNode): Part {
  const span = SPANS[name];
  if (of.kind === "duration" && span !== undefined) {
    return checked("int", [of], (ms) => BigInt(Math.trunc((ms as number) / span)));
  }
  const read = CLOCK[name];
  if (of.kind !== "instant" || read === undefined) throw unknown(node);
  return checked("int", [of], (ms) => BigInt(read(new Date(ms as number))));
}

function choice(condition: ASTNode, yes: ASTNode, no: ASTNode): Part {
  const [which, one, other] = [prepare(condition), prepare(yes), prepare(no)];
  const run: Evaluation = (inputs) => {
    const value = which.run(inputs);
    if (value instanceof Doubt) return value;
    return value === true ? one.run(inputs) : other.run(inputs);
  };
  return { kind: one.kind, run };
}

/** `||` (`decides` = true) and `&&`: a side that decides makes up for one that failed. */
function joined(decides: boolean, left: ASTNode, right: ASTNode): Part {
  const [one, other] = [prepare(left), prepare(right)];
  const run: Evaluation = (inputs) => {
    const first = one.run(inputs);
    if (first === decides) return decides;
    const second = other.run(inputs);
    return second === decides ? decides : first instanceof Doubt ? first : second;
  };
  return { kind: "bool", run };
}

const DIVISION = new Doubt("division by zero");
const MODULO = new Doubt("modulo by zero");
const OVERFLOW = new Doubt("integer overflow");

function int64(value: bigint): bigint | Doubt {
  return BigInt.asIntN(64, value) === value ? value : OVERFLOW;
}

const COMPARED: Readonly<Record<string, (one: Value, other: Value) => boolean>> = {
  "==": (one, other) => one === other,
  "!=": (one, other) => one !== other,
  "<": (one, other) => one < other,
  "<=": (one, other) => one <= other,
  ">": (one, other) => one > other,
  ">=": (one, other) => one >= other,
};

const CALCULATED: Readonly<Record<string, (one: bigint, other: bigint) => bigint | Doubt>> = {
  "+": (one, other) => int64(one + other),
  "-": (one, other) => int64(one - other),
  "*": (one, other) => int64(one * other),
  "/": (one, other) => (other === 0n ? DIVISION : int64(one / other)),
  "%": (one, other) => (other === 0n ? MODULO : one % other),
};

function binary(node: ASTNode): Part {
  const [left, right] = node.args as readonly [ASTNode, ASTNode];
  const sides = [prepare(left), prepare(right)] as const;
  const [one, other] = sides;
  const compare = COMPARED[node.op];
  if (compare !== undefined) return checked("bool", sides, compare);
  const calculate = CALCULATED[node.op];
  if (calculate === undefined) throw unknown(node);
  if (one.kind === "int") return checked("int", sides, calculate as Apply);
  if (one.kind === "string") return checked("string", sides, (a, b) => `${a}${b}`);
  // An instant and a length of time make an instant, two of a kind a length of time.
  const kind = one.kind === other.kind ? "duration" : "instant";
  const sign = node.op === "-" ? -1 : 1;
  return checked(kind, sides, (a, b) => (a as number) + sign * (b as number));
}

/** What needs its one part, or both: the first that failed is what it comes to. */
function checked(kind: Kind, [one, other]: readonly [Part, Part?], apply: Apply): Part {
  if (other === undefined) {
    const run: Evaluation = (inputs) => {
      const value = one.run(inputs);
      return value instanceof Doubt ? value : apply(value, value);
    };
    return { kind, run };
  }
  const run: Evaluation = (inputs) => {
    const first = one.run(inputs);
    if (first instanceof Doubt) return first;
    const second = other.run(inputs);
    return second instanceof Doubt ? second : apply(first, second);
  };
  return { kind, run };
}

/** Of a part alone, both are it. */
type Apply = (one: Value, other: Value) => Value | Doubt;

function argument(args: readonly ASTNode[]): ASTNode {
  const [only] = args;
  if (only === undefined) throw new RangeError("no argument where this language has one");
  return only;
}

/** The text of a literal. */
function textOf(node: ASTNode): string {
  if (node.op !== "value" || typeof node.args !== "string") throw unknown(node);
  return node.args;
}

function unknown({ op, start }: ASTNode): RangeError {
  return new RangeError(`\`${op}\` at ${start} is not of this language`);
}
