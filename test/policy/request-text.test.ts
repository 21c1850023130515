import { expect, it } from "vitest";
import { parseRequestText, parseSubjectText } from "../../src/policy/request-text.ts";

it.each([
  ["GET http://a.example/x?y", { kind: "http", host: "a.example", port: null, method: "GET", path: "/x?y" }],
  ["POST http://a.example:8080", { kind: "http", host: "a.example:8080", port: null, method: "POST", path: "/" }],
  ["GET http://a.example?y", { kind: "http", host: "a.example", port: null, method: "GET", path: "/?y" }],
  ["GET HTTP://A.example./", { kind: "http", host: "A.example.", port: null, method: "GET", path: "/" }],
  ["GET http://u@a.example/", { kind: "http", host: "u@a.example", port: null, method: "GET", path: "/" }],
  ["GET http://[::1]:80//a", { kind: "http", host: "[::1]:80", port: null, method: "GET", path: "//a" }],
  ["TLS a.example", { kind: "tls", host: "a.example", port: "443", method: "", path: "" }],
  ["TLS a.example:8443", { kind: "tls", host: "a.example", port: "8443", method: "", path: "" }],
  ["TCP [2001:db8::1]:5432", { kind: "tcp", host: "[2001:db8::1]", port: "5432", method: "", path: "" }],
  ["TCP a.example:", { kind: "tcp", host: "a.example", port: "", method: "", path: "" }],
])("reads %s, and canonicalises nothing", (text, value) => {
  expect(parseRequestText(text)).toEqual({ ok: true, value: { ...value, note: null } });
});

it.each([
  ["GET https://a.example/x", "443"],
  ["POST https://a.example:8443/x", "8443"],
])("reads %s as TLS, and says that method and path are not visible", (text, port) => {
  const parsed = parseRequestText(text);
  expect(parsed).toMatchObject({ ok: true, value: { kind: "tls", host: "a.example", port, method: "", path: "" } });
  expect(parsed.ok && parsed.value.note).toContain("not visible");
});

it.each([
  ["", null],
  ["http://a.example/", null],
  ["GET", null],
  ["GET a.example/x", "GET http://a.example/x"],
  ["GET ftp://a.example/", null],
  ["GET http:///x", null],
  ["TLS :443", null],
  ["TCP a.example", "TCP a.example:5432"],
])("refuses %j", (text, fix) => {
  expect(parseRequestText(text)).toMatchObject({ ok: false, fix });
});

it.each([
  ["payments/checkout", "spiffe://mesh.example/ns/payments/sa/checkout"],
  ["spiffe://partner.example/agent", "spiffe://partner.example/agent"],
  ["SPIFFE://odd/%", "SPIFFE://odd/%"],
])("takes %s for a subject", (text, value) => {
  expect(parseSubjectText(text, "mesh.example")).toEqual({ ok: true, value });
});

it.each(["", "payments", "payments/", "/checkout", "a/b/c", "a /b"])("refuses the subject %j", (text) => {
  expect(parseSubjectText(text, "mesh.example").ok).toBe(false);
});
