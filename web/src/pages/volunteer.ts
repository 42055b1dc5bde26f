/** The volunteer page: one button, and what this machine does for the run. */

import { follow, type Run } from "../index";
import { comeAnew } from "./anew";
import { ASKED } from "./asked";
import { write } from "./dom";
import { Heard } from "./heard";
import { inAdvance, leisure } from "./leisure";
import { openSite, reporting, showSearch } from "./site";
import { createAccuracyChart, showRun, showStory } from "./story";
import { Volunteer } from "./volunteering";

import "./style.css";

async function main(): Promise<void> {
  const run = await openSite(ASKED.run, showSearch);
  showRun(run.description);
  await leisure();
  const heard = new Heard(run.description.created_at);
  const volunteer = new Volunteer(run, heard);
  await leisure();
  await volunteer.offerOwnData();
  volunteer.begin();
  // TF.js comes while one reads.
  if (run.description.status !== "finished") void inAdvance(() => run.prepare());
  await followed(run, heard, volunteer);
}

/** Follows the run for as long as the page is there. */
function followed(run: Run, heard: Heard, volunteer: Volunteer): Promise<void> {
  const chart = createAccuracyChart();
  return follow(run, {
    onStory: (story) => {
      if (heard.isOfAnother(story)) return comeAnew();
      showStory(chart, run.description.end.accuracy, story);
      volunteer.hear(story);
    },
    onTrouble: (message, gone) => {
      if (gone) return volunteer.miss();
      write("trouble", message ? "The server does not answer. Trying again…" : "");
      if (!message) heard.looked();
    },
    onWake: (wake) => (heard.lookAgain = wake),
    hidden: () => document.hidden,
  });
}

// Once this page is there.
setTimeout(() => void reporting(main));
