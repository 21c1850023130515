/** A line of progress on a terminal, for files that take a while. `all` in bytes. */
export function createProgress(all: number): (bytes: number, end?: boolean) => void {
  const { stderr } = process;
  if (!stderr.isTTY) return () => undefined;
  let done = 0;
  let shown = -1;
  return (bytes, end = false) => {
    done += bytes;
    const percent = all === 0 ? 100 : Math.floor((done / all) * 100);
    if (end) stderr.write("\r\u001b[K");
    else if (percent !== shown) stderr.write(`\r${percent} % of ${Math.ceil(all / 1_048_576)} MiB`);
    shown = percent;
  };
}
