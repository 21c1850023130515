/**
 * Loaded ahead of a program (`--import`): on SIGUSR2 it says how many bytes nobody holds that collections of short-lived objects, of which it makes two more, have left to the full collection that it makes then.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options?: { type: "minor" }) => void;
  process.on("SIGUSR2", () => {
    collect({ type: "minor" });
    collect({ type: "minor" });
    const { heapUsed } = process.memoryUsage();
    collect();
    process.stderr.write(`outlived ${heapUsed - process.memoryUsage().heapUsed}\n`);
  });
}
