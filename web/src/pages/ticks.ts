/** Steps between the ticks of an axis that counts: 1, 2, 5, 10, 20, 50 … No halves, which rounding would make wrong. */
export const WHOLE_STEPS = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();
