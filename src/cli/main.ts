#!/usr/bin/env node
import { endOnBrokenOutput } from "./broken-output.ts";
import { runProgram } from "./program.ts";

const args = process.argv.slice(2);
// A server goes on whatever becomes of its output: its audit trail sees to that.
if (args[0] !== "serve") endOnBrokenOutput();
await runProgram(args);
