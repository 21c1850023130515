/** The label of what none of the conditions names. */
export const OTHER = "*";
export const AMBIGUOUS = "ambiguous";
/** Between the pattern that holds all of an atom and those that hold none. */
export const EXCEPT = "\u0000";
export const NO_UPGRADE = "none";
/** Of a content type: one of gRPC that no condition names. */
export const OTHER_GRPC = "other grpc";
