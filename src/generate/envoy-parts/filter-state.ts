import { extension, typed } from "./typed.ts";

const CONFIG = "set_filter_state.v3.Config";

/** A text under a key of our own; where Envoy knows nothing to put in, that is empty. */
export function ownText(key: string, text: string): object {
  const { format_string } = format(text);
  return { object_key: key, factory_key: "envoy.string", format_string: { ...format_string, omit_empty_values: true } };
}

/** A value under a key that Envoy knows. `text` may hold Envoy's format operators. */
export function value(key: string, text: string): object {
  return { object_key: key, ...format(text) };
}

/** A value that all listeners inside this Envoy are told that come after. */
export function passedOn(key: string, text: string): object {
  return { ...value(key, text), shared_with_upstream: "TRANSITIVE" };
}

/**
 * The same, and only what has the same value may share connections: Envoy gives a connection that was made for one, and
 * that it never used, to the next, who would find the first one's values there.
 */
export function setApart(key: string, text: string): object {
  return { ...passedOn(key, text), factory_key: "envoy.hashable_string" };
}

/** Sets values as soon as a connection comes this far. */
export function setForConnection(on_new_connection: readonly object[]): object {
  return extension("envoy.filters.network.set_filter_state", `extensions.filters.network.${CONFIG}`, {
    on_new_connection,
  });
}

/** Sets values when a connection's first bytes come. */
export function setAtFirstData(on_downstream_data: readonly object[]): object {
  return extension("envoy.filters.network.set_filter_state", `extensions.filters.network.${CONFIG}`, {
    on_downstream_data,
  });
}

const HTTP = "envoy.filters.http.set_filter_state";

/** Sets for each request what its route says. */
export function setForRequest(): object {
  return extension(HTTP, `extensions.filters.http.${CONFIG}`, {});
}

/** Sets the same for each request, under a filter's name of its own. */
export function setForEachRequest(name: string, on_request_headers: readonly object[]): object {
  return extension(name, `extensions.filters.http.${CONFIG}`, { on_request_headers });
}

/** What a route says. */
export function routeValues(on_request_headers: readonly object[]): Readonly<Record<string, object>> {
  return { [HTTP]: typed(`extensions.filters.http.${CONFIG}`, { on_request_headers }) };
}

function format(inline_string: string): { readonly format_string: object } {
  return { format_string: { text_format_source: { inline_string } } };
}
