import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** `loop` is an ext2 on a device that can fail, `journal` an ext4 on one that can turn read-only. */
type DiskKind = "tmpfs" | "loop" | "journal";

/** A small real filesystem that can be made to fail. */
export interface SmallDisk {
  readonly path: string;
  /** From now on there is no room: writes to a tmpfs fail, those to a loop device are taken and cannot be made durable. */
  fill(): void;
  free(): void;
  /** From now on writes do not return. */
  freeze(): void;
  thaw(): void;
  /** From now on writes are refused, as after an error that the filesystem found in itself. Only on `journal`. */
  turnReadOnly(): void;
  /** Takes it away and brings it back as an administrator would: checked and writable, at the same place. Only on a device. */
  mend(): void;
  remove(): void;
}

/** Why there can be none here, or null. */
export function noSmallDisk(kind: DiskKind): string | null {
  try {
    mountSmallDisk(kind).remove();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const SIZES: Readonly<Record<DiskKind, string>> = { tmpfs: "size=1m", loop: "size=6m", journal: "size=40m" };

/** A tmpfs of 1 MiB; or a filesystem on a loop device, whose image lies on a tmpfs (for `loop`, on one that is smaller than it says). @throws without the right to mount */
export function mountSmallDisk(kind: DiskKind): SmallDisk {
  const root = mkdtempSync(join(tmpdir(), "sallyport-disk-"));
  const below = join(root, "below");
  const path = kind === "tmpfs" ? below : join(root, "disk");
  const image = join(below, "image");
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
    mount(below, "-t", "tmpfs", "-o", SIZES[kind], "none");
    if (kind !== "tmpfs") {
      writeFileSync(image, "");
      truncateSync(image, 32 * 1024 * 1024);
      run(kind === "loop" ? "mkfs.ext2" : "mkfs.ext4", "-q", "-F", image);
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
    turnReadOnly: () => run("mount", "-o", "remount,abort", path),
    mend() {
      // Whoever looks again and again whether it is mended holds it for a moment each time.
      again(() => run("umount", path));
      mounted.splice(mounted.indexOf(path), 1);
      // Fails by design when it mended something, so its result is left to the mount.
      spawnSync("/usr/sbin/fsck.ext4", ["-p", image], { timeout: 20_000 });
      run("mount", "-o", "loop", image, path);
      mounted.unshift(path);
    },
    remove,
  };
}

function again(attempt: () => void): void {
  for (let left = 200; ; left -= 1) {
    try {
      attempt();
      return;
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

function run(program: string, ...args: string[]): void {
  // Where administrators' programs are is not always on the path.
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8", timeout: 20_000, env });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr.trim()}`);
}
