/*
 * What a narrow screen shows first: its parts come one frame after the other, so that none of them keeps a finger waiting, and all
 * before the page's own script has come. A part of each page: see vite.config.ts.
 */
{
  const parts = document.querySelectorAll(".later").values();
  const unfold = () => {
    const { value: part } = parts.next();
    part?.classList.remove("later");
    if (part) requestAnimationFrame(unfold);
  };
  // The frame that is about to come is the first, and as much as a frame has time for: the ground that the parts stand on.
  requestAnimationFrame(() => requestAnimationFrame(unfold));
}
