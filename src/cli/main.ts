#!/usr/bin/env node
import { runProgram } from "./program.ts";
import { allowUnreadOutput } from "./unread-output.ts";

const args = process.argv.slice(2);
// A server goes on whatever becomes of its output: its audit trail sees to that.
if (args[0] !== "serve") allowUnreadOutput();
await runProgram(args);
