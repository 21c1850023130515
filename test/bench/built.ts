/**
 * The program as it is installed, which `npm run bench` builds first: JavaScript. From sources each process, and each thread of it that is started later, would first take
 * the types out of all that it loads.
 */
export const BUILT_MAIN = new URL("../../dist/cli/main.js", import.meta.url).pathname;
