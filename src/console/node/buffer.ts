import { Buffer } from "buffer/";

/** The rooms that decide and explain know Node's `Buffer`; a browser has none, so it gets one before they are loaded. */
Object.assign(globalThis, { Buffer });
