import { describe, expect, test } from "vitest";

import { BadSpec, Diverged, NoBackend, Unavailable } from "../src/errors";
import { Harness, trainTask } from "./harness";

/** A harness with tasks enough, whose training fails so. */
function failing(...errors: Error[]): Harness {
  const h = new Harness();
  h.tasks = Array.from({ length: errors.length + 1 }, (_, version) => trainTask(version));
  h.fail("train", ...errors);
  return h;
}

describe("the run's owner is told", () => {
  test("by a client that gives up, with its token, before it leaves", async () => {
    const h = failing(new BadSpec("Unknown layer: Fancy"));
    await h.run();
    expect(h.complained).toEqual([{ code: "bad_spec", message: "Unknown layer: Fancy", version: 0 }]);
    expect(h.calls.at(-1)).toBe("complain token-1");
    expect(h.events.at(-1)!.type).toBe("stopped");
  });

  test("when no backend can train the model", async () => {
    const h = failing(new NoBackend("none is fast enough"));
    await h.run();
    expect(h.complained).toMatchObject([{ code: "no_backend", message: "none is fast enough" }]);
  });

  test("once, from the third failure in a row on, of a training that ends in no number", async () => {
    const h = failing(...Array.from({ length: 6 }, () => new Diverged("the loss is not a number")));
    await h.run();
    expect(h.complained).toEqual([{ code: "diverged", message: "the loss is not a number", version: 2 }]);
  });

  test("of what nobody foresaw in its own words, as far as there is room", async () => {
    const h = failing(...Array.from({ length: 3 }, () => new Error(`out of memory ${"😀".repeat(2000)}`)));
    await h.run();
    const { code, detail = "" } = h.complained[0]!;
    expect(code).toBe("trainer");
    expect(detail.startsWith("Error: out of memory 😀")).toBe(true);
    expect(Array.from(detail)).toHaveLength(1000);
    expect(() => encodeURIComponent(detail)).not.toThrow(); // as it would at half a character
  });
});

describe("nobody is bothered", () => {
  test("with a failure or two that training gets over", async () => {
    const h = failing(new Diverged("not a number"), new Diverged("not a number"));
    await h.run();
    expect(h.complained).toEqual([]);
    expect(h.uploaded).toHaveLength(1);
  });

  test("with a network that is down", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0)];
    h.fail("announce", ...Array.from({ length: 5 }, () => new Unavailable("no answer")));
    await h.run();
    expect(h.complained).toEqual([]);
  });

  test("nothing comes of a complaint that does not arrive", async () => {
    const h = failing(new BadSpec("Unknown layer: Fancy"));
    h.fail("complain token-1", new Unavailable("no answer"));
    expect(await h.run()).toBe("Unknown layer: Fancy");
    expect(h.of("error")).toHaveLength(1);
  });
});
