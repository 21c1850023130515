/**
 * Whoever reads what a command prints may stop reading (`| head`). That is no failure: the rest is not printed, and the command comes to its end, with the exit code that it would have had;
 * one that goes on until it is stopped is stopped.
 */
export function allowUnreadOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", ended);
}

function ended(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  if (process.listenerCount("SIGTERM") > 0) process.kill(process.pid, "SIGTERM");
}
