/**
 * The messages of protos/ as the loader gives and takes them. Every field of a request may be absent; nothing in it is trusted.
 * @see protos/SOURCE.md
 */
export interface CheckRequestMessage {
  readonly attributes?: AttributeContextMessage | null;
}

export interface AttributeContextMessage {
  readonly source?: PeerMessage | null;
  readonly destination?: PeerMessage | null;
  readonly request?: { readonly http?: HttpRequestMessage | null } | null;
  readonly context_extensions?: Readonly<Record<string, string>> | null;
  readonly tls_session?: { readonly sni?: string } | null;
}

export interface PeerMessage {
  readonly service?: string;
  readonly principal?: string;
  readonly certificate?: string;
}

export interface HttpRequestMessage {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>> | null;
  readonly path?: string;
  readonly host?: string;
  readonly header_map?: { readonly headers?: readonly HeaderValueMessage[] } | null;
}

export interface HeaderValueMessage {
  readonly key?: string;
  readonly value?: string;
  readonly raw_value?: Uint8Array;
}

export interface CheckResponseMessage {
  readonly status: { readonly code: number; readonly message: string };
  readonly ok_response?: Record<string, never>;
  readonly denied_response?: HttpAnswerMessage;
  readonly error_response?: HttpAnswerMessage;
  readonly dynamic_metadata?: { readonly fields: Readonly<Record<string, { readonly stringValue: string }>> };
}

export interface HttpAnswerMessage {
  readonly status: { readonly code: number };
  readonly headers: readonly {
    readonly header: { readonly key: string; readonly value: string };
    readonly append_action: number;
  }[];
  readonly body: string;
}
