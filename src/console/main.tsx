import "./node/buffer.ts";
import { render } from "preact";
import { Console } from "./console.tsx";
import { watchServer } from "./server.ts";

const place = document.getElementById("console");
if (place !== null) {
  watchServer();
  render(<Console />, place);
}
