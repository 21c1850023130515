import { fail, ok, type Result, withAcceptedFix } from "./result.ts";

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(\.\d{1,3})?(Z|[+-]\d{2}:\d{2})$/;

/** RFC 3339 with offset and at most milliseconds → milliseconds since the epoch. */
export function parseInstant(text: string): Result<number> {
  return withAcceptedFix(readInstant(text), readInstant);
}

function readInstant(text: string): Result<number> {
  const match = RFC3339.exec(text);
  if (match === null) {
    const date = /^(\d{4}-\d{2}-\d{2})$/.exec(text);
    const fix = date === null ? null : `${date[1]}T00:00:00Z`;
    return fail(`\`${text}\` is not an instant: RFC 3339 with an offset, as \`2027-03-31T00:00:00Z\``, fix);
  }
  const [, year, month, day, hour, minute, second, , offset] = match;
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  const inRange =
    Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= days && Number(hour) <= 23;
  const offsetOk = offset === "Z" || (Number(offset?.slice(1, 3)) <= 23 && Number(offset?.slice(4, 6)) <= 59);
  const instant = Date.parse(text);
  if (!inRange || !offsetOk || Number(minute) > 59 || Number(second) > 59 || Number.isNaN(instant)) {
    return fail(`\`${text}\` is no instant of the calendar`);
  }
  return ok(instant);
}
