/** How high and how low lines go within a stretch of x, where they cross its edges included. */

export type Column = readonly (number | null)[];

/** Of lines whose values are between their points; `stepped`: that hold each value until the next. Null: there is none. */
export function extentOf(x: readonly number[], columns: readonly Column[], [from, to]: readonly [number, number], stepped = false): [low: number, high: number] | null {
  const seen = columns.flatMap((column) => seenOf(x, column, from, to, stepped));
  if (seen.length === 0) return null;
  return seen.reduce<[number, number]>(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

function seenOf(x: readonly number[], column: Column, from: number, to: number, stepped: boolean): number[] {
  const within: number[] = [];
  let last = -1;
  for (let i = 0; i < x.length; i++) {
    const value = column[i];
    if (typeof value !== "number") continue;
    if (last >= 0) for (const edge of [from, to]) if (x[last]! < edge && edge < x[i]!) within.push(crossing(x, column, last, i, edge, stepped));
    if (x[i]! >= from && x[i]! <= to) within.push(value);
    if (x[i]! > to) break;
    last = i;
  }
  return within;
}

/** Where the line from one point to the next is at some x between them. */
function crossing(x: readonly number[], column: Column, before: number, after: number, at: number, stepped: boolean): number {
  const [first, second] = [column[before]!, column[after]!];
  return stepped ? first : first + ((second - first) * (at - x[before]!)) / (x[after]! - x[before]!);
}
