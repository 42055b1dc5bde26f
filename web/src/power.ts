/** How much of the time training may take, as a program without types may give it. */

/** Percent, 1 … 100. @throws TypeError, RangeError */
export function checkedPower(power: unknown): number {
  if (typeof power !== "number") throw new TypeError(`power is a number from 1 to 100, percent of the time; ${JSON.stringify(power)} is none`);
  if (power >= 1 && power <= 100) return power;
  throw new RangeError(`power is ${power}, where percent of the time from 1 to 100 are to be had`);
}
