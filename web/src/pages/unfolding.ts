/** What a narrow screen shows first: its parts come one frame after the other, so that none of them keeps a finger waiting. */

/** Shows the parts of this page that wait for it, from above, each in a frame of its own. */
export async function unfold(): Promise<void> {
  for (const part of document.querySelectorAll(".later")) {
    await new Promise(requestAnimationFrame);
    part.classList.remove("later");
  }
}
