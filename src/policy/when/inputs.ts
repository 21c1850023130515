/** What an expression reads, all of it known for certain. */
export interface ExpressionInputs {
  readonly subject: {
    readonly id: string;
    readonly trustDomain: string;
    readonly namespace: string;
    readonly serviceAccount: string;
  };
  readonly target: {
    readonly host: string;
    readonly port: number;
    readonly service: string;
    readonly method: string;
    readonly path: string;
  };
  /** Those that the request has, of all that it reads at least. */
  readonly headers: ReadonlyMap<string, string>;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}
