/** Numbers as people write them down: rows that are typed, pasted or in a file. */

/** What a row of words comes to, or what is wrong with it. */
export type Parsed<T> = { found: T } | { wrong: string };

const LONGEST_SHOWN = 20;

/** The words of a line: between semicolons, tabs or commas if there are any, else between spaces; without their quotes. */
export function words(line: string): string[] {
  const mark = [";", "\t", ","].find((one) => line.includes(one));
  const parts = mark === undefined ? line.trim().split(/\s+/) : line.trim().replace(new RegExp(`${mark}$`), "").split(mark);
  return parts.map((part) => part.trim().replace(/^(["'])(.*)\1$/, "$2")).filter((part, i, all) => part !== "" || all.length > 1 || i > 0);
}

/** A number, with a point or, where that is the only one, a comma. */
export function numberIn(word: string): number | null {
  const plain = /^[+-]?\d+,\d+$/.test(word) ? word.replace(",", ".") : word;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) && Number.isFinite(Number(plain)) ? Number(plain) : null;
}

/** So many numbers, all of them whole if they must be. */
export function rowOf(found: readonly string[], size: number, whole: boolean): Parsed<number[]> {
  const values: number[] = [];
  for (const word of found) {
    const value = numberIn(word);
    if (value === null) return { wrong: `“${shown(word)}” is no number` };
    if (whole && !Number.isInteger(value)) return { wrong: `${shown(word)} is no whole number` };
    values.push(value);
  }
  if (values.length !== size) return { wrong: `${values.length} of ${size} numbers` };
  return { found: values };
}

/** The lines of a table that are not empty, each with its number from 1; without a first line of names. */
export function tableOf(text: string): { number: number; words: string[] }[] {
  const lines = text.split(/\r\n|\r|\n/).map((line, i) => ({ number: i + 1, words: line.trim() === "" ? [] : words(line) }));
  const filled = lines.filter((line) => line.words.length > 0);
  const names = filled[0]?.words.every((word) => numberIn(word) === null) ?? false;
  return names && filled.length > 1 ? filled.slice(1) : filled;
}

export function shown(word: string): string {
  return word.length > LONGEST_SHOWN ? `${word.slice(0, LONGEST_SHOWN)}…` : word;
}
