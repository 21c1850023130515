/** A host as received, without the user information that a URL may carry before it and what may follow it. */
export function redactHost(host: string): string {
  return withoutUser(beforeQuery(host));
}

/** A path as received, without its query; of a whole URL, or one without its scheme, also without its user information. */
export function redactPath(path: string): string {
  const before = beforeQuery(path);
  if (before.charCodeAt(0) !== SLASH) return withoutUser(before);
  if (before.charCodeAt(1) !== SLASH) return before;
  const end = before.indexOf("/", 2);
  return end === -1
    ? `//${withoutUser(before.slice(2))}`
    : `//${withoutUser(before.slice(2, end))}${before.slice(end)}`;
}

const SLASH = 0x2f;

function beforeQuery(text: string): string {
  const query = text.indexOf("?");
  const before = query === -1 ? text : text.slice(0, query);
  const fragment = before.indexOf("#");
  return fragment === -1 ? before : before.slice(0, fragment);
}

/** Everything before the last `@` may be a secret. */
function withoutUser(text: string): string {
  const at = text.lastIndexOf("@");
  return at === -1 ? text : `…${text.slice(at)}`;
}
