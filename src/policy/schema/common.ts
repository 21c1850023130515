import { z } from "zod";

/** Text of a document: never empty, never long. */
export const text = z.string().min(1).max(1024);
/** Text that people read in answers, logs and records: one line, nothing that cannot be shown. */
export const line = text.regex(
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
  /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]*$/u,
);
export const nonEmpty = <T extends z.ZodType>(item: T, most: number) => z.array(item).min(1).max(most);

/** `metadata` as Kubernetes writes it; what a server sets is accepted and ignored. */
const metadata = z.strictObject({
  name: text.describe("DNS-1123 label, unique per kind and namespace."),
  namespace: text.optional().describe("Filled in from the directory; only files at the top may choose it."),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  uid: z.unknown().optional(),
  resourceVersion: z.unknown().optional(),
  generation: z.unknown().optional(),
  generateName: z.unknown().optional(),
  creationTimestamp: z.unknown().optional(),
  deletionTimestamp: z.unknown().optional(),
  deletionGracePeriodSeconds: z.unknown().optional(),
  finalizers: z.unknown().optional(),
  managedFields: z.unknown().optional(),
  ownerReferences: z.unknown().optional(),
  selfLink: z.unknown().optional(),
});

export const API_VERSION = "sallyport.dev/v1alpha1";

/** A document of one kind. */
export function documentOf<K extends string, S extends z.ZodType>(kind: K, spec: S) {
  return z.strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal(kind),
    metadata,
    spec,
    status: z.unknown().optional(),
  });
}

export const portNumber = z.int().min(1).max(65535);
export const fallback = z.enum(["deny", "report", "allow"]);
