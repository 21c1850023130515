import { createPrivateKey, sign } from "node:crypto";
import { readFile } from "node:fs/promises";

/** What a gateway is given in answer to one of its polls. */
export interface LeaseStatement {
  /** The poll's own, so that no other answer is taken for it. */
  readonly nonce: string;
  readonly revision: string;
  readonly generation: number;
  readonly leaseMs: number;
  /** Names of the headers that are recorded, as the gateway is told them. */
  readonly recorded: string;
}

/** Signs a statement: hexadecimal digits of an ECDSA signature in DER. */
export type LeaseSigner = (statement: LeaseStatement) => string;

/** @throws when the file cannot be read or is no PEM of a private key on P-256, with how to make one */
export async function readLeaseSigner(file: string): Promise<LeaseSigner> {
  try {
    return createLeaseSigner(await readFile(file, "utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `the bundle key ${file} cannot be used (make one with \`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256\`): ${why}`,
    );
  }
}

/** @throws when the text is no PEM of a private key on P-256 */
export function createLeaseSigner(pem: string): LeaseSigner {
  const key = createPrivateKey(pem);
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve !== "prime256v1") throw new Error(`it is a key of type ${curve ?? key.asymmetricKeyType}, not P-256`);
  return ({ nonce, revision, generation, leaseMs, recorded }) => {
    // What src/filter/lease.ts puts together from what it was given.
    const text = `sallyport.lease/v1\n${nonce}\n${revision}\n${generation}\n${leaseMs}\n${recorded}\n`;
    return sign("sha256", Buffer.from(text), key).toString("hex");
  };
}
