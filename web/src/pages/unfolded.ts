/** A page whose own script for it (unfolding.ts) was kept from it, as a content security policy does with what is inline. */

/** The frames after which the first of its parts is to be seen; the script has begun before whoever calls. */
const FRAMES = 3;

/** Shows all parts of a page, unless its own script does so, a part at a time. */
export async function unfoldedAnyway(): Promise<void> {
  for (let frame = 0; frame < FRAMES; frame++) await new Promise(requestAnimationFrame);
  if (document.querySelector(".top.later") === null) return;
  for (const part of document.querySelectorAll(".later")) part.classList.remove("later");
}
