/** Where the volunteer page takes data of visitors' own. */

import type { Run } from "../index";
import { element } from "./dom";
import type { OwnDataPanel } from "./own_data";

/** Opens the place for them; null where the run takes none. `onChange`: what is trained on is another now. */
export async function offerOwnData({ api, description }: Run, onChange: () => void): Promise<OwnDataPanel | null> {
  if (description.data.own === "never" || description.status === "finished") return null;
  const { createOwnData } = await import("./own_data");
  const panel = await createOwnData(element("own"), description, `webnn:${api}:${description.run}`, onChange);
  element("own").hidden = false;
  return panel;
}
