import type { Transform } from "node:stream";
import { constants, createGunzip, createZstdDecompress, gzipSync, zstdCompressSync } from "node:zlib";

/** How closed files are compressed. */
export type Packing = "zstd" | "gzip";

/** The ends of compressed files' names. */
export const PACKED_ENDS: Readonly<Record<Packing, string>> = { zstd: ".zst", gzip: ".gz" };

export const PACKINGS = Object.keys(PACKED_ENDS) as readonly Packing[];

const PIECE_BYTES = 1024 * 1024;

/** Of a trail's records this makes a fifteenth in a third of the CPU time that gzip takes for an eleventh; level 1 would make a twentieth in half of it. */
const ZSTD_LEVEL = -2;

/** Compresses a piece of a file; such pieces one after the other are a compressed file. */
export function packPiece(packing: Packing, piece: Buffer): Buffer {
  if (packing === "gzip") return gzipSync(piece, { level: constants.Z_BEST_SPEED });
  const params = { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL, [constants.ZSTD_c_checksumFlag]: 1 };
  return zstdCompressSync(piece, { params });
}

/** Undoes what the name of a file says was done to it; null where that is nothing. */
export function createUnpacker(path: string): Transform | null {
  if (path.endsWith(PACKED_ENDS.gzip)) return createGunzip({ chunkSize: PIECE_BYTES });
  return path.endsWith(PACKED_ENDS.zstd) ? createZstdDecompress({ chunkSize: PIECE_BYTES }) : null;
}

/** The file can be read, and is not what was compressed. */
export function isPackingError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && /^Z(STD)?_/.test(String(error.code));
}
