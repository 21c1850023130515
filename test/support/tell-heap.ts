/** Loaded ahead of a program (`--import`): on SIGUSR2 it collects garbage and says what its heap still holds. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  process.on("SIGUSR2", () => {
    collect();
    // What has a finaliser goes with the collection after it.
    setImmediate(() => {
      collect();
      process.stderr.write(`heap ${process.memoryUsage().heapUsed}\n`);
    });
  });
}
