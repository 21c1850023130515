import { Transform } from "node:stream";

const HEADER_END = Buffer.from("\r\n\r\n");

/**
 * Passes bytes on, in pieces that end where a message's header does. The reader of messages gives up a piece in which a header is
 * wrong: so it goes on with what comes after it instead of waiting for more.
 */
export function splitHeaders(): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let start = 0;
      for (let at = chunk.indexOf(HEADER_END); at >= 0; at = chunk.indexOf(HEADER_END, start)) {
        this.push(chunk.subarray(start, at + HEADER_END.length));
        start = at + HEADER_END.length;
      }
      if (start < chunk.length) this.push(chunk.subarray(start));
      done();
    },
  });
}
