/** Charts that come after what is read first: a page that is just being seen needs neither them nor their library. */

import type { Chart, ChartOptions } from "./chart";
import { leisure } from "./leisure";

type Shown = Parameters<Chart["show"]>;

/**
 * A chart that is made once there is something to show, when the page has nothing better to do, in small portions: on a
 * slow phone all of it at once would hold up the page for longer than a finger waits.
 */
export function createChartLater(host: HTMLElement, options: ChartOptions): Chart {
  let chart: Chart | null = null;
  let latest: Shown | null = null;
  let made: Promise<void> | null = null;
  const make = async () => {
    const { createChart } = await import("./chart");
    await leisure();
    warmUp();
    await leisure();
    const fresh = await createChart(host, options, leisure);
    await leisure();
    chart = fresh;
    host.classList.remove("coming");
    chart.show(...latest!);
  };
  return {
    show(...given: Shown) {
      if (chart) return chart.show(...given);
      const [[x], summary] = given;
      host.classList.toggle("coming", x.length > 0);
      if (x.length === 0) return;
      host.setAttribute("aria-label", summary);
      latest = given;
      made ??= inTurn(make);
    },
    async picture(size) {
      await made;
      return chart?.picture(size) ?? null;
    },
  };
}

/** A browser's first text on a canvas takes it as long as a whole chart. */
function warmUp(): void {
  document.createElement("canvas").getContext("2d")?.measureText("0");
}

let before: Promise<void> = Promise.resolve();

function inTurn(work: () => Promise<void>): Promise<void> {
  before = before.then(leisure).then(work);
  // Without its chart a page still trains; the console says what is missing.
  return (before = before.catch((error: unknown) => console.error(error)));
}
