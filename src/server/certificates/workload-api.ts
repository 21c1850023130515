import { Client, type ClientReadableStream, credentials, Metadata, type MethodDefinition } from "@grpc/grpc-js";
import { loadWorkloadApi } from "../load-protos.ts";
import type { TlsMaterial } from "./tls-material.ts";
import { svidMaterial, type X509Svid } from "./x509-svid.ts";

/** The server does not start without an identity, and waits so long for the first. */
const FIRST_MS = 30_000;
const RETRY_MS = { first: 250, most: 10_000 };

interface X509SvidResponse {
  readonly svids?: readonly X509Svid[];
}

/** Material of the first answer; each later one is handed over. */
export interface WorkloadApi {
  readonly material: TlsMaterial;
  close(): void;
}

/**
 * Follows a SPIFFE Workload API on a Unix socket: of several identities the first is ours, as the specification has it. A stream that ends is opened
 * again, later and later. @throws when no usable identity came within half a minute
 * @see SPIFFE Workload API §4 (the header), §5.2 (FetchX509SVID)
 */
export function openWorkloadApi(
  socket: string,
  changed: (material: TlsMaterial) => void,
  failed: (error: unknown) => void,
): Promise<WorkloadApi> {
  const fetch = loadWorkloadApi().FetchX509SVID as MethodDefinition<object, X509SvidResponse>;
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  let stream: ClientReadableStream<X509SvidResponse> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let waitMs = RETRY_MS.first;
  let known: string | null = null;
  let closed = false;
  let last: unknown = new Error("it has not answered");

  return new Promise((resolve, reject) => {
    const close = () => {
      closed = true;
      clearTimeout(timer);
      clearTimeout(patience);
      stream?.cancel();
      client.close();
    };
    const patience = setTimeout(() => {
      close();
      const why = last instanceof Error ? last.message : String(last);
      reject(new Error(`the Workload API at ${socket} gave no identity within ${FIRST_MS / 1000} s: ${why}`));
    }, FIRST_MS);

    const fail = (error: unknown) => {
      last = error;
      if (known !== null && !closed) failed(error);
    };
    const take = ({ svids = [] }: X509SvidResponse) => {
      waitMs = RETRY_MS.first;
      try {
        const [svid] = svids;
        if (svid === undefined) throw new Error("no identity is registered for this workload");
        const material = svidMaterial(svid, Date.now());
        const isFirst = known === null;
        if (known === material.digest) return;
        known = material.digest;
        clearTimeout(patience);
        if (isFirst) resolve({ material, close });
        else changed(material);
      } catch (error) {
        fail(error);
      }
    };
    const open = () => {
      const metadata = new Metadata();
      // Without it the API answers nobody: so a browser cannot be made to ask.
      metadata.set("workload.spiffe.io", "true");
      const { path, requestSerialize, responseDeserialize } = fetch;
      const own = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}, metadata);
      stream = own;
      const again = () => {
        if (closed || stream !== own) return;
        stream = null;
        timer = setTimeout(open, waitMs);
        waitMs = Math.min(waitMs * 2, RETRY_MS.most);
      };
      own.on("data", take);
      own.on("error", (error) => {
        fail(error);
        again();
      });
      own.on("end", () => {
        fail(new Error("it ended the stream"));
        again();
      });
    };
    open();
  });
}
