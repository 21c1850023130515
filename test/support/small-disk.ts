import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A small real filesystem that can be made to fail. */
export interface SmallDisk {
  readonly path: string;
  /** From now on there is no room: writes to a tmpfs fail, those to a loop device are taken and `fdatasync` fails. */
  fill(): void;
  free(): void;
  /** From now on writes do not return. */
  freeze(): void;
  thaw(): void;
  remove(): void;
}

/** Why there can be none here, or null. */
export function noSmallDisk(kind: "tmpfs" | "loop"): string | null {
  try {
    mountSmallDisk(kind).remove();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A tmpfs of 1 MiB; or an ext2 on a loop device whose image lies on a tmpfs that is smaller than it says. @throws without the right to mount */
export function mountSmallDisk(kind: "tmpfs" | "loop"): SmallDisk {
  const root = mkdtempSync(join(tmpdir(), "sallyport-disk-"));
  const below = join(root, "below");
  const path = kind === "tmpfs" ? below : join(root, "disk");
  const mounted: string[] = [];
  let frozen = false;

  function mount(to: string, ...args: string[]): void {
    mkdirSync(to);
    run("mount", ...args, to);
    mounted.unshift(to);
  }
  function thaw(): void {
    if (frozen) run("fsfreeze", "--unfreeze", path);
    frozen = false;
  }
  function remove(): void {
    thaw();
    for (const each of mounted) run("umount", "--lazy", each);
    rmSync(root, { recursive: true, force: true });
  }

  try {
    mount(below, "-t", "tmpfs", "-o", kind === "tmpfs" ? "size=1m" : "size=6m", "none");
    if (kind === "loop") {
      const image = join(below, "image");
      writeFileSync(image, "");
      truncateSync(image, 32 * 1024 * 1024);
      run("mkfs.ext2", "-q", "-F", image);
      mount(path, "-o", "loop", image);
    }
  } catch (error) {
    remove();
    throw error;
  }
  const filler = join(below, "filler");
  return {
    path,
    fill() {
      try {
        writeFileSync(filler, Buffer.alloc(8 * 1024 * 1024));
      } catch {
        // It is as large as there was room for.
      }
    },
    free: () => rmSync(filler, { force: true }),
    freeze() {
      run("fsfreeze", "--freeze", path);
      frozen = true;
    },
    thaw,
    remove,
  };
}

function run(program: string, ...args: string[]): void {
  // Where administrators' programs are is not always on the path.
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8", timeout: 20_000, env });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr.trim()}`);
}
