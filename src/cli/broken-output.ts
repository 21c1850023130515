import { EXIT } from "./exit-code.ts";
import { printFailure } from "./output.ts";

/**
 * Whoever reads what a command prints may stop reading (`| head`). That is no failure: the rest is not printed, and the command comes to its end, with the exit code that it would have had;
 * one that goes on until it is stopped is stopped. Where output cannot be written otherwise, the command ends and says so.
 */
export function endOnBrokenOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", ended);
}

function ended(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") {
    if (process.listenerCount("SIGTERM") > 0) process.kill(process.pid, "SIGTERM");
    return;
  }
  printFailure(`the output cannot be written: ${error.message}`, "make room where it goes, or name another place");
  process.exit(EXIT.failure);
}
