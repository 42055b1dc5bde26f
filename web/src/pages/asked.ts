/** What the address of the volunteer page asks for. */

import type { BackendName } from "../index";

const query = new URLSearchParams(location.search);

export const ASKED = {
  run: query.get("run"),
  /** To train without Start being pressed. */
  start: query.has("start"),
  backend: query.get("backend") as BackendName | null,
  /** For programs that drive the page: every event is written to the console, one JSON object a line. */
  events: query.has("events"),
};
