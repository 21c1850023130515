import { LAYOUT } from "./layout.ts";

/** What stands in a rule's record, for explaining. */
export interface RuleRecord {
  readonly id: string;
  /** The id as a list of one: most decisions have one determining rule. */
  readonly sole: readonly string[];
  readonly note: RuleNote;
}

/** Who to ask about a rule and why it is there. */
export interface RuleNote {
  /** `namespace/policy`, or `policy` for root policies. */
  readonly policy: string;
  readonly owner: string;
  readonly ticket: string | null;
  readonly reason: string | null;
}

/** An expression, and the headers that it reads, by their ids. */
export interface WhenRecord {
  readonly text: string;
  readonly readsPath: boolean;
  readonly headers: readonly number[];
}

/** Reads names out of a bundle that the engine has taken (its bounds are checked). */
export interface BundleReader {
  rule(index: number): RuleRecord;
  /** `name` of a global service, else `namespace/name`. */
  service(index: number): string;
  header(index: number): string;
  headerNames(): readonly string[];
  /** An expression by its place. */
  when(index: number): WhenRecord;
  whenCount(): number;
  field(offset: number): number;
  /** The text of a string reference; null for 0. */
  text(ref: number): string | null;
}

/** Rules whose records are kept once read. */
const KEPT_RULES = 32_768;

/** `bytes` may be any view of memory that holds the bundle at its start. */
export function createBundleReader(bytes: Uint8Array): BundleReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (offset: number): number => view.getUint32(offset, true);
  const text = (ref: number): string | null => {
    if (ref === 0) return null;
    return buffer.toString("utf8", ref + 2, ref + 2 + view.getUint16(ref, true));
  };
  const scoped = (scopeRef: number, nameRef: number): string => {
    const scope = text(scopeRef) ?? "";
    const name = text(nameRef) ?? "";
    return scope === "" ? name : `${scope}/${name}`;
  };
  const policies: { readonly name: string; readonly owner: string }[] = [];
  const policy = (index: number): { readonly name: string; readonly owner: string } => {
    const known = policies[index];
    if (known !== undefined) return known;
    const at = u32(LAYOUT.H_POLICIES) + index * LAYOUT.POLICY_SIZE;
    const made = {
      name: scoped(u32(at + LAYOUT.POLICY_SCOPE), u32(at + LAYOUT.POLICY_NAME)),
      owner: text(u32(at + LAYOUT.POLICY_OWNER)) ?? "",
    };
    policies[index] = made;
    return made;
  };
  const services: string[] = [];
  const readService = (index: number): string => {
    const at = u32(LAYOUT.H_SERVICES) + index * LAYOUT.SERVICE_SIZE;
    return scoped(u32(at + LAYOUT.SERVICE_SCOPE), u32(at + LAYOUT.SERVICE_NAME));
  };
  const header = (index: number): string => text(u32(u32(LAYOUT.H_HEADERS) + index * 4)) ?? "";
  // By index, with holes: an array is read several times faster than a map of numbers.
  let rules: (RuleRecord | undefined)[] = [];
  let kept = 0;
  const readRule = (index: number): RuleRecord => {
    const at = u32(LAYOUT.H_RULES) + index * LAYOUT.RULE_SIZE;
    const { name, owner } = policy(u32(at + LAYOUT.RULE_POLICY));
    const id = `${name}/${text(u32(at + LAYOUT.RULE_NAME)) ?? ""}`;
    const ticket = text(u32(at + LAYOUT.RULE_TICKET));
    return { id, sole: [id], note: { policy: name, owner, ticket, reason: text(u32(at + LAYOUT.RULE_REASON)) } };
  };
  return {
    rule(index) {
      const known = rules[index];
      if (known !== undefined) return known;
      if (kept === KEPT_RULES) {
        rules = [];
        kept = 0;
      }
      const made = readRule(index);
      rules[index] = made;
      kept += 1;
      return made;
    },
    service(index) {
      const known = services[index];
      if (known !== undefined) return known;
      const name = readService(index);
      services[index] = name;
      return name;
    },
    header,
    headerNames: () => Array.from({ length: u32(LAYOUT.H_HEADER_COUNT) }, (_, i) => header(i)),
    when(index) {
      const at = u32(LAYOUT.H_WHENS) + index * LAYOUT.WHEN_SIZE;
      const list = u32(at + LAYOUT.WHEN_HEADERS);
      return {
        text: text(u32(at + LAYOUT.WHEN_TEXT)) ?? "",
        readsPath: (u32(at + LAYOUT.WHEN_READS) & LAYOUT.MASK_PATH) !== 0,
        headers: list === 0 ? [] : Array.from({ length: u32(list) }, (_, i) => u32(list + 4 + i * 4)),
      };
    },
    whenCount: () => (u32(LAYOUT.H_VERSION) === LAYOUT.VERSION_WHEN ? u32(LAYOUT.H_WHEN_COUNT) : 0),
    field: u32,
    text,
  };
}
