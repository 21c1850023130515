/** `namespace/serviceaccount` of a SPIFFE ID of that form in the usual trust domain, else the ID. */
export function shortSubject(spiffeId: string): string {
  const [, namespace, account] = /^spiffe:\/\/cluster\.local\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(spiffeId) ?? [];
  return namespace === undefined ? spiffeId : `${namespace}/${account}`;
}
