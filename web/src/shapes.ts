/**
 * What a parsed body must look like. A few lines in the place of a library, whose least was a third of this one's size.
 *
 * A shape gives the value with the members that it knows and no other, or throws Strange with the path to what is wrong.
 */

export type Shape<T> = (value: unknown, path: string) => T;

export class Strange extends Error {
  constructor(readonly path: string) {
    super(path);
  }
}

export const anything: Shape<unknown> = (value) => value;

/** What `test` accepts. */
function that<T>(test: (value: unknown) => boolean): Shape<T> {
  return (value, path) => {
    if (!test(value)) throw new Strange(path);
    return value as T;
  };
}

export const string = that<string>((value) => typeof value === "string");
/** A finite one. */
export const number = that<number>(Number.isFinite);
export const text = that<string>((value) => typeof value === "string" && value !== "");
export const url = that<string>((value) => typeof value === "string" && URL.canParse(value));
/** A whole number that is safe to reckon with. */
export const whole = (least: number): Shape<number> => that((value) => Number.isSafeInteger(value) && (value as number) >= least);
export const oneOf = <const T extends string>(...words: T[]): Shape<T> => that((value) => words.includes(value as T));

/** What `change` makes of it. */
export function changed<T, U>(shape: Shape<T>, change: (value: T) => U): Shape<U> {
  return (value, path) => change(shape(value, path));
}

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, path) => (value === null ? null : shape(value, path));
}

/** What takes the place of a member that is not there, or null. */
export function absent<T, U>(shape: Shape<T>, instead: U): Shape<T | U> {
  return (value, path) => (value === undefined || value === null ? instead : shape(value, path));
}

/** A list of anything. */
export const list = that<unknown[]>(Array.isArray);

export function array<T>(shape: Shape<T>, least = 0): Shape<T[]> {
  const enough = that<unknown[]>((value) => Array.isArray(value) && value.length >= least);
  return (value, path) => enough(value, path).map((one, i) => shape(one, `${path}.${i}`));
}

export function pair<A, B>(first: Shape<A>, second: Shape<B>): Shape<[A, B]> {
  const two = array(anything, 2);
  return (value, path) => {
    const [a, b] = two(value, path);
    return [first(a, `${path}.0`), second(b, `${path}.1`)];
  };
}

const members = that<Record<string, unknown>>((value) => typeof value === "object" && value !== null && !Array.isArray(value));

export function record<T>(shape: Shape<T>): Shape<Record<string, T>> {
  return (value, path) => Object.fromEntries(Object.entries(members(value, path)).map(([name, one]) => [name, shape(one, `${path}.${name}`)]));
}

type Shapes = Record<string, Shape<unknown>>;
type Values<S extends Shapes> = { [K in keyof S]: S[K] extends Shape<infer T> ? T : never };

/** `optional` members may be absent. */
export function object<S extends Shapes, O extends Shapes>(shapes: S, optional: O): Shape<Values<S> & Partial<Values<O>>>;
export function object<S extends Shapes>(shapes: S): Shape<Values<S>>;
export function object(shapes: Shapes, optional: Shapes = {}): Shape<unknown> {
  return (value, path) => {
    const given = members(value, path);
    const present = Object.entries(optional).filter(([name]) => given[name] !== undefined);
    const found = [...Object.entries(shapes), ...present].map(([name, shape]) => [name, shape(given[name], `${path}.${name}`)]);
    return Object.fromEntries(found) as unknown;
  };
}

/** One of several, told apart by what their member `kind` says. */
export function kinds<S extends Record<string, Shape<unknown>>>(shapes: S): Shape<Values<S>[keyof S]> {
  const kind = object({ kind: oneOf(...Object.keys(shapes)) });
  return (value, path) => shapes[kind(value, path).kind]!(value, path) as Values<S>[keyof S];
}
