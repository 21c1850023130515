import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Lab } from "./lab.ts";

/** Writes the certificates that curl needs and returns lines to try. */
export async function stayLines(lab: Lab): Promise<readonly string[]> {
  const { leaf, ca } = await lab.workload("payments/checkout");
  if (leaf === null) return [];
  const files = {
    cert: join(lab.directory, "me.crt"),
    key: join(lab.directory, "me.key"),
    ca: join(lab.directory, "gw-ca.crt"),
  };
  await Promise.all([
    writeFile(files.cert, leaf.cert),
    writeFile(files.key, leaf.key, { mode: 0o600 }),
    writeFile(files.ca, ca),
  ]);
  // The gateway's certificate names a SPIFFE ID, which curl cannot compare; the lab is on loopback.
  const curl = `curl --insecure --cert ${files.cert} --key ${files.key}`;
  const at = `https://127.0.0.1:${lab.port("http", 80)}`;
  return [
    "",
    "Running until you press Ctrl-C. As payments/checkout:",
    `  ${curl} -H 'host: api.stripe.com' ${at}/v1/charges`,
    `  ${curl} -H 'host: api.stripe.com' ${at}/v1/customers`,
    `  ${curl} -H 'host: 169.254.169.254' ${at}/latest/meta-data`,
    "Change a policy and ask again:",
    `  ls ${lab.policies}`,
    "Watch the decisions:",
    `  tail -f ${lab.auditFile}`,
    `  curl http://127.0.0.1:${lab.adminPort}/metrics`,
  ];
}
