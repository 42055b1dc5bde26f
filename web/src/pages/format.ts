/** Numbers for people. */

// Not by Intl: the first formatter in a browser's process costs a slow phone a fifth of a second.
const THOUSANDS = /\B(?=(\d{3})+$)/g;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const LARGE = [
  [1e12, "T"],
  [1e9, "B"],
  [1e6, "M"],
] as const;

/** 12,345, and above a million 1.2M. */
export function count(value: number): string {
  if (value < 1e6) return String(Math.round(value)).replace(THOUSANDS, ",");
  const [size, letter] = LARGE.find(([least]) => Math.round((10 * value) / least) >= 10)!;
  return `${Math.round((10 * value) / size) / 10}${letter}`;
}

/** 950 B, 12.3 kB, 4.6 MB: powers of 1000. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = value < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  const scaled = value / 1000 ** power;
  return `${scaled.toFixed(power === 0 || scaled >= 100 ? 0 : 1)} ${units[power]!}`;
}

/** 14:05, of milliseconds since 1970, here. */
export function timeOfDay(at: number): string {
  const when = new Date(at);
  return `${two(when.getHours())}:${two(when.getMinutes())}`;
}

/** 14:05:09 if it is of today, else 3 Nov, 14:05. */
export function clock(at: number, now: number): string {
  const when = new Date(at);
  if (when.toDateString() === new Date(now).toDateString()) return `${timeOfDay(at)}:${two(when.getSeconds())}`;
  return `${when.getDate()} ${MONTHS[when.getMonth()]}, ${timeOfDay(at)}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** 42 s, 3 min 05 s, 2 h 07 min. */
export function duration(seconds: number): string {
  const s = Math.floor(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
}

/** Of an axis: 45 s, 1:30, 12 min, 2 h, 2 h 30. */
export function moment(seconds: number): string {
  const [h, min, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  if (seconds < 60) return seconds === 0 ? "0" : `${figure(seconds)} s`;
  if (seconds < 3600) return s === 0 ? `${min} min` : `${min}:${two(Math.floor(s))}`;
  return min === 0 ? `${count(h)} h` : `${count(h)} h ${two(min)}`;
}

/** $0.00012, $3.40, <$0.000001: as `webnn.prices.money` has it. */
export function money(dollars: number): string {
  if (dollars > 0 && dollars < 1e-6) return "<$0.000001";
  const telling = dollars > 0 ? 1 - Math.floor(Math.log10(dollars)) : 0;
  return `$${dollars.toFixed(Math.min(6, Math.max(2, telling))).replace(/\B(?=(\d{3})+\.)/g, ",")}`;
}

/** 97.1 % */
export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}

/** Three significant figures, plainly. */
export function figure(value: number): string {
  if (value >= 1000) return count(value);
  return value === 0 ? "0" : String(Number(value.toPrecision(3)));
}
