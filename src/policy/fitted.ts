/** The list with no more room than it fills: one that grew has room for sixteen more, which of many short lists is most of what they take. */
export function fitted<T>(list: readonly T[]): T[] {
  return list.slice();
}

/** The list with one entry more. The first is put into a list of one, which most lists stay: pushed onto an empty one it would take the room of seventeen. */
export function appended<T>(list: T[], entry: T): T[] {
  if (list.length === 0) return [entry];
  list.push(entry);
  return list;
}
