/** Revocation ends nothing that is under way, so everything ends by itself. */
export const LIFETIME = "3600s";
