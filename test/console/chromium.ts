import { spawnSync } from "node:child_process";
import { type Browser, chromium } from "playwright-core";

/** Debian's Chromium, or another on the PATH; null when there is none. */
export const CHROMIUM =
  ["chromium", "chromium-browser", "google-chrome"].map(onPath).find((each) => each !== null) ?? null;

/** Starts it. It is sandboxed unless root runs it, which it refuses. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [], timeout: 60_000 });
}

function onPath(name: string): string | null {
  const { status, stdout } = spawnSync("/bin/sh", ["-c", `command -v ${name}`], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}
