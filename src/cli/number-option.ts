import { InvalidArgumentError } from "commander";

/** Parses a positive whole number of at most four digits. @throws InvalidArgumentError */
export function parseNumber(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError("write a number from 1 to 9999.");
  return Number(text);
}

/** Parses zero or a positive whole number of at most four digits. @throws InvalidArgumentError */
export function parseCount(text: string): number {
  return text === "0" ? 0 : parseNumber(text);
}
