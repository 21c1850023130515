import type { ComponentChildren, JSX } from "preact";
import { Wide } from "./wide.tsx";

export interface TableOf {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly kind?: string;
  /** The rows. */
  readonly children: ComponentChildren;
}

/** A table with a caption and named columns. */
export function Table({ caption, columns, kind, children }: TableOf): JSX.Element {
  return (
    <Wide label={caption}>
      <table class={kind}>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map((each) => (
              <th scope="col" key={each}>
                {each}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </Wide>
  );
}
