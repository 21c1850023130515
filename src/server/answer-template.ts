import { ID_LENGTH } from "./decision-id.ts";

/** An encoded answer with gaps where the decision id goes. */
export interface AnswerTemplate {
  readonly bytes: Buffer;
  /** Where the 36 bytes of the id start. */
  readonly gaps: readonly number[];
}

/** Finds the gaps in bytes that were encoded with `placeholder` as their decision id. */
export function createTemplate(bytes: Buffer, placeholder: string): AnswerTemplate {
  const gaps: number[] = [];
  for (let at = bytes.indexOf(placeholder, 0, "latin1"); at !== -1; at = bytes.indexOf(placeholder, at + 1, "latin1")) {
    gaps.push(at);
  }
  return { bytes, gaps };
}

/** A copy of the answer that carries this decision id. */
export function fillTemplate(template: AnswerTemplate, id: string): Buffer {
  const answer = Buffer.allocUnsafe(template.bytes.length);
  answer.set(template.bytes);
  // 36 stores take less than one call of `write`.
  for (const gap of template.gaps) for (let at = 0; at < ID_LENGTH; at += 1) answer[gap + at] = id.charCodeAt(at);
  return answer;
}
