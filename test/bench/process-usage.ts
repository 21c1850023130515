import { readFile } from "node:fs/promises";

/** /proc counts CPU time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** CPU microseconds of a process so far, in its own code and in the kernel, all its threads together. */
export async function cpuMicros(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1e6;
}

/** Bytes of memory that a process holds (RSS). */
export async function residentBytes(pid: number): Promise<number> {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) * 1024;
}
