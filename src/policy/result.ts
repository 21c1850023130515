/** An expected outcome as a value: parsing untrusted text never throws. `fix` is what to write instead, where it is known. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string; readonly fix: string | null };

export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

/** `message` says what is wrong in one line, without a capital or a full stop. */
export function fail<T>(message: string, fix: string | null = null): Result<T> {
  return { ok: false, message, fix };
}

/** The same result, without a fix that would be refused in its turn: no advice is better than bad advice. */
export function withAcceptedFix<T>(result: Result<T>, parse: (fix: string) => Result<unknown>): Result<T> {
  if (result.ok || result.fix === null || parse(result.fix).ok) return result;
  return fail(result.message);
}
