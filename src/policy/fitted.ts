/** The list with no more room than it fills: one that grew has room for sixteen more, which of many short lists is most of what they take. */
export function fitted<T>(list: readonly T[]): T[] {
  return list.slice();
}
