/** The head of a page and its sections, each from its `## ` on. */
export function sectionsOf(page: string): readonly string[] {
  return page.split(/^(?=## )/m);
}

/** The page with one section in place of that of the same title, else at its end. */
export function withSection(page: string, section: string): string {
  const sections = sectionsOf(page).map((each) => `${each.trimEnd()}\n`);
  const [title = ""] = section.split("\n", 1);
  const at = sections.findIndex((each) => each.startsWith(`${title}\n`));
  return (at < 0 ? [...sections, section] : sections.with(at, section)).join("\n");
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
