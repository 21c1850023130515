import { signal } from "@preact/signals";

/** Where the page is: the name of a view, what of it is shown, and what its form holds. */
export interface Route {
  readonly view: string;
  readonly id: string;
  readonly form: URLSearchParams;
}

/** Follows the part of the address behind `#`, so that links, bookmarks and the back key work. */
export const route = signal(readRoute());
addEventListener("hashchange", () => {
  route.value = readRoute();
});

function readRoute(): Route {
  const [path = "", query = ""] = location.hash.slice(1).split("?", 2);
  const [, view = "", id = ""] = path.split("/");
  return { view: view === "" ? "decisions" : view, id: decoded(id), form: new URLSearchParams(query) };
}

/** The address of a view. */
export function linkTo(view: string, id = "", form: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(form).toString();
  return `#/${view}${id === "" ? "" : `/${encodeURIComponent(id)}`}${query === "" ? "" : `?${query}`}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
