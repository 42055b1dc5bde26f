import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { Volunteer } from "./Volunteer";

const query = new URLSearchParams(location.search);

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Volunteer api={query.get("api") ?? "http://127.0.0.1:8000"} name={query.get("run") ?? "digits"} />
  </StrictMode>,
);
