import type { HostPattern } from "../policy/model.ts";
import type { BundleReader } from "./bundle-reader.ts";
import { LAYOUT } from "./layout.ts";

/** A key by which an identity is found, and the subjects it leads to. Kinds, flags and numbers are those of the layout. */
export interface IdentityRecord {
  readonly kind: number;
  readonly flags: number;
  readonly number: number;
  readonly key: string;
  /** Ids without their tags. */
  readonly subjects: readonly number[];
}

/** A host pattern, who owns it by port, and the target that rules name it by. */
export interface HostRecord {
  readonly pattern: HostPattern;
  readonly target: number;
  readonly owners: readonly { readonly port: number; readonly protocol: number; readonly service: number }[];
}

/** All entries by which identities are found, in the order of their slots. */
export function readIdentities(bundle: Uint8Array, { field }: BundleReader): readonly IdentityRecord[] {
  const view = viewOf(bundle);
  return entriesOf({ field }, LAYOUT.H_IDENTITY_TABLE, LAYOUT.H_IDENTITY_SLOTS, LAYOUT.ID_SLOT).map((entry) => {
    const count = field(entry + LAYOUT.IE_SUBJECT_COUNT);
    return {
      kind: view.getUint8(entry + LAYOUT.IE_KIND),
      flags: view.getUint8(entry + LAYOUT.IE_FLAGS),
      number: field(entry + LAYOUT.IE_NUMBER),
      key: textAt(bundle, entry + LAYOUT.IE_SUBJECTS + count * 4, view.getUint16(entry + LAYOUT.IE_KEY_LENGTH, true)),
      subjects: Array.from(
        { length: count },
        (_, i) => field(entry + LAYOUT.IE_SUBJECTS + i * 4) & LAYOUT.SUBJECT_ID_MASK,
      ),
    };
  });
}

/** All host patterns, in the order of their slots. */
export function readHosts(bundle: Uint8Array, { field }: BundleReader): readonly HostRecord[] {
  const view = viewOf(bundle);
  return entriesOf({ field }, LAYOUT.H_HOST_TABLE, LAYOUT.H_HOST_SLOTS, LAYOUT.HOST_SLOT).map((entry) => {
    const count = field(entry + LAYOUT.HE_OWNER_COUNT);
    const key = entry + LAYOUT.HE_OWNERS + count * LAYOUT.OWNER_SIZE;
    const name = textAt(bundle, key, view.getUint16(entry + LAYOUT.HE_KEY_LENGTH, true));
    return {
      pattern: view.getUint8(entry + LAYOUT.HE_WILDCARD) === 1 ? `*.${name}` : name,
      target: field(entry + LAYOUT.HE_TARGET),
      owners: Array.from({ length: count }, (_, i) => {
        const at = entry + LAYOUT.HE_OWNERS + i * LAYOUT.OWNER_SIZE;
        const port = view.getUint16(at + LAYOUT.OWNER_PORT, true);
        const protocol = view.getUint16(at + LAYOUT.OWNER_PROTOCOL, true);
        return { port, protocol, service: field(at + LAYOUT.OWNER_SERVICE) };
      }),
    };
  });
}

/** Offsets of a table's entries. */
function entriesOf({ field }: Pick<BundleReader, "field">, table: number, slots: number, size: number): number[] {
  const found: number[] = [];
  for (let slot = 0; slot < field(slots); slot++) {
    const entry = field(field(table) + slot * size + 4);
    if (entry !== 0) found.push(entry);
  }
  return found;
}

function viewOf(bundle: Uint8Array): DataView {
  return new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
}

function textAt(bundle: Uint8Array, start: number, length: number): string {
  return Buffer.from(bundle.buffer, bundle.byteOffset + start, length).toString("utf8");
}
