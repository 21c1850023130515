import type { Scope } from "../policy/model.ts";

/** `name` of what is global, else `namespace/name`: as decisions name services. */
export function scopedName({ scope, name }: { readonly scope: Scope; readonly name: string }): string {
  return scope === "" ? name : `${scope}/${name}`;
}
