/** Beginning anew, where a run's name is given to another. */

/** Shows the other run from the beginning, for the visitor to decide upon. */
export function comeAnew(): void {
  const here = new URL(location.href);
  here.searchParams.delete("start");
  // With a part of the page in it an address leads there, and loads nothing.
  here.hash = "";
  location.replace(here);
}
