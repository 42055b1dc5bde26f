import { join } from "@webnn/client";

const query = new URLSearchParams(location.search);
const say = (text) => (document.querySelector("[role=status]").textContent = text);

const run = await join(query.get("api"), query.get("run"));
run.on("uploaded", ({ steps }) => say(`Sent ${steps > 0 ? "an update" : "nothing"}`));
run.on("backend", ({ name }) => say(`Trains with ${name}`));
run.contribute({ backend: "wasm" }).finished.catch((error) => say(error.message));
