import { describe, expect, test } from "vitest";

import { BadSpec, Corrupt, Diverged, NoBackend, NotUnderstood, Refused, Stale, Unavailable } from "../src/errors";
import type { ClientEvent } from "../src/messages";
import type { Task } from "../src/protocol";
import { evaluateTask, Harness, hashOf, stopTask, trainTask } from "./harness";

const gone = () => new Unavailable("no answer: the network is down");
const refused = (status: number, code: Refused["code"]) => new Refused(status, code, code);

describe("the cycle", () => {
  test("trains, announces exactly what it sends, and asks again", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1)];

    expect(await h.run()).toBe("the run is finished");

    expect(h.uploaded).toEqual(["update-1", "update-2"]);
    expect(h.announced[1]).toEqual({
      base_version: 1,
      generation: 0,
      local_steps: 4,
      examples: 256,
      bytes: 3,
      sha256: await hashOf([1, 2, 3]),
      encoding: "float32",
      metrics: { loss: 0.25, accuracy: 0.5 },
    });
    expect(h.events.at(-1)).toEqual({ type: "stopped", reason: "the run is finished" });
  });

  test("downloads a fresh checkpoint for each task, and takes spec and shard from the cache", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1)];
    await h.run();
    const count = (call: string) => h.calls.filter((one) => one === call).length;
    expect([count("download checkpoint"), count("blob shard"), count("blob model")]).toEqual([2, 2, 1]);
  });

  test("leaves a run of data of one's own, if it has none, after what it could do", async () => {
    const h = new Harness();
    h.tasks = [evaluateTask, { ...trainTask(3), shard: null } as Task];
    const reason = "this run learns from data that its clients bring, and none was given here";
    expect(await h.run()).toBe(reason);
    expect(h.reported).toHaveLength(1);
    expect(h.events).toContainEqual({ type: "error", code: "no_data", message: reason, fatal: true });
    expect(h.uploaded).toEqual([]);
  });

  test("evaluates all shards and reports", async () => {
    const h = new Harness();
    h.tasks = [evaluateTask];
    await h.run();
    expect(h.reported).toEqual([{ evaluation_id: "e1", version: 3, loss: 0.3, accuracy: 0.9, examples: 15 }]);
    expect(h.of("evaluated")).toHaveLength(1);
  });

  test("waits as long as it is told, and never hammers", async () => {
    const h = new Harness();
    h.tasks = [{ kind: "wait", seconds: 3, reason: "busy" }, { kind: "wait", seconds: 0, reason: "busy" }];
    await h.run();
    expect(h.clock.slept).toEqual([3000, 250]);
  });

  test("tells what became of an update, later", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), { kind: "wait", seconds: 5, reason: "busy" }, trainTask(1)];
    await h.run();
    expect(h.of("settled")[0]).toMatchObject({ updateId: "update-1", state: "merged", version: 1 });
    const order = h.events.map(({ type }) => type).filter((type) => type === "settled" || type === "uploaded");
    expect(order).toEqual(["uploaded", "settled", "uploaded", "settled"]);
  });

  test("asks what became of the last updates before it leaves", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1), trainTask(2)];
    await h.run();
    expect(h.of("settled").map(({ updateId }) => updateId)).toEqual(["update-1", "update-2", "update-3"]);
    expect(h.events.at(-1)!.type).toBe("stopped");
  });

  test("nothing happens before start", async () => {
    const h = new Harness();
    const client = h.join();
    await h.clock.breathe();
    await client.stop();
    expect(h.calls).toEqual([]);
    expect(h.events).toEqual([{ type: "stopped", reason: "left" }]);
  });
});

describe("it gets over by itself", () => {
  test("a lost network pauses and resumes without a person, and the work is not lost", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1)];
    h.fail("announce", gone(), gone(), gone());

    expect(await h.run()).toBe("the run is finished");

    expect(h.of("error").map(({ code }) => code)).toEqual(["unavailable", "unavailable", "unavailable"]);
    expect(h.calls.filter((call) => call === "train")).toHaveLength(2);
    expect(h.uploaded).toEqual(["update-1", "update-2"]);
    expect(h.announced[0]!.base_version).toBe(0);
  });

  test("pauses grow while the server is down", async () => {
    const h = new Harness();
    h.fail("join", ...Array.from({ length: 9 }, gone));
    await h.run();
    const pauses = h.of("waiting").map(({ seconds }) => seconds);
    expect(pauses).toHaveLength(9);
    expect(pauses[1]!).toBeGreaterThan(pauses[0]!);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(60);
    expect(pauses.at(-1)!).toBeGreaterThan(20);
  });

  test("patience begins anew after a success", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1), trainTask(2)];
    h.fail("announce", gone(), gone(), undefined, gone());
    await h.run();
    const [first, second, third] = h.of("waiting").map(({ seconds }) => seconds);
    expect(second).toBeGreaterThan(first!);
    expect(third).toBe(first);
  });

  test("an upload whose answer was lost is sent again under the same ticket: a new one would count twice", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0)];
    h.fail("upload", gone(), gone());
    await h.run();
    expect(h.announced).toHaveLength(1);
    expect(h.calls.filter((call) => call === "upload")).toHaveLength(3);
    expect(h.uploaded).toEqual(["update-1"]);
  });

  test("an expired token: it joins again and delivers what it has", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1)];
    h.fail("announce", refused(401, "unauthorized"));
    await h.run();
    expect(h.of("joined")).toHaveLength(2);
    expect(h.uploaded).toEqual(["update-1", "update-2"]);
    expect(h.calls.filter((call) => call === "train")).toHaveLength(2);
    expect(h.clock.slept).toEqual([]);
  });

  test("tokens refused again and again are not asked for in a hurry", async () => {
    const h = new Harness();
    h.fail("task token-1", refused(401, "unauthorized"));
    h.fail("task token-2", refused(401, "unauthorized"));
    h.fail("task token-3", refused(401, "unauthorized"));
    await h.run();
    expect(h.of("waiting")).toHaveLength(2);
  });

  test("the run moved on (409): the update is dropped and a new task asked for at once", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(5)];
    h.fail("announce", refused(409, "conflict"));
    await h.run();
    expect(h.announced.map(({ base_version }) => base_version)).toEqual([5]);
    expect(h.clock.slept).toEqual([]);
    expect(h.of("error")).toEqual([]);
  });

  test("a second conflict in a row is told of, and waited out", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(5)];
    h.fail("announce", refused(409, "conflict"), refused(409, "conflict"));
    await h.run();
    expect(h.of("error")).toMatchObject([{ code: "conflict", fatal: false }]);
    expect(h.of("waiting")).toHaveLength(1);
  });

  test("an upload ticket that expired while the machine slept: dropped, a new task", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1)];
    h.fail("upload", new Stale(403, "storage refused the upload with 403"));
    await h.run();
    expect(h.uploaded).toEqual(["update-2"]);
  });

  test("a checkpoint's URL that expired: a new task", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1)];
    h.fail("download checkpoint", new Stale(403, "storage refused the download with 403"));
    await h.run();
    expect(h.uploaded).toEqual(["update-1"]);
    expect(h.announced[0]!.base_version).toBe(1);
  });

  test.each([
    ["an update that the server calls invalid", "announce", refused(400, "invalid")],
    ["a server error of ours", "announce", refused(500, "internal")],
    ["a damaged checkpoint", "download checkpoint", new Corrupt("hash")],
  ])("%s: not repeated, and a pause before the next task", async (_, call, error) => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1)];
    h.fail(call, error);
    await h.run();
    expect(h.announced.map(({ base_version }) => base_version)).toEqual([1]);
    expect(h.of("waiting")).toHaveLength(1);
  });

  test("training that diverges sends nothing and starts afresh", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1)];
    h.fail("train", new Diverged("NaN"));
    await h.run();
    expect(h.uploaded).toEqual(["update-1"]);
    expect(h.of("error")).toMatchObject([{ code: "diverged", fatal: false }]);
    expect(h.resets).toBe(2);
  });

  test("a trainer that crashes is started afresh", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1)];
    h.fail("train", new Error("the GPU was lost"));
    await h.run();
    expect(h.uploaded).toEqual(["update-1"]);
    expect(h.of("error")).toMatchObject([{ code: "trainer", fatal: false }]);
    expect(h.resets).toBe(2);
  });

  test("a network that is back cuts the wait short", async () => {
    const h = new Harness();
    h.fail("join", gone());
    let woken = false;
    h.clock.sleep = (_ms, signal) =>
      new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason as Error)));
    const client = h.join({
      onEvent: ({ type }) => {
        if (type !== "waiting") return;
        woken = true;
        setTimeout(() => client.wake(), 5);
      },
    });
    client.start();
    expect(await client.finished).toBe("the run is finished");
    expect(woken).toBe(true);
  });

  test("training does not wait for an answer about an update, and only one is asked for at a time", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), { kind: "wait", seconds: 5, reason: "busy" }, trainTask(1), { kind: "wait", seconds: 5, reason: "busy" }, trainTask(2)];
    let asked = 0;
    h.api.getUpdate = (_run, _token, _update, signal) => {
      asked++;
      return new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason as Error)));
    };
    const client = h.join({ onEvent: () => void (h.uploaded.length === 3 && void client.stop()) });
    client.start();
    expect(await client.finished).toBe("left");
    expect(h.uploaded).toHaveLength(3);
    expect(asked).toBe(1);
  });

  test("a server that answers slowly about updates does not keep a client that wants to leave", async () => {
    const h = new Harness();
    h.tasks = Array.from({ length: 50 }, (_, version) => trainTask(version));
    const { getUpdate } = h.api;
    let farewells = 0;
    h.api.getUpdate = (...args) => {
      if (h.uploaded.length === 50) {
        farewells++;
        h.clock.spend(4000);
      }
      return getUpdate(...args);
    };
    expect(await h.run()).toBe("the run is finished");
    expect(farewells).toBeLessThan(6);
  });

  test("a trainer that cannot even be reset does not end the client", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1)];
    h.fail("train", new Error("the GPU was lost"));
    h.trainer.reset = () => {
      throw new Error("dispose: the GPU was lost");
    };
    expect(await h.run()).toBe("the run is finished");
    expect(h.uploaded).toEqual(["update-1"]);
  });

  test("a visitor reads a sentence where JavaScript stumbled, and a program what it said", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0)];
    h.fail("train", new TypeError("Cannot read properties of null (reading 'kind')"));
    await h.run();
    const [error] = h.of("error");
    expect(error).toMatchObject({ message: "training failed on this machine and begins afresh", fatal: false });
    expect(error!.detail).toContain("Cannot read properties");
    expect(h.of("waiting")[0]!.reason).toBe(error!.message);
  });

  test("curiosity about an update never disturbs", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), { kind: "wait", seconds: 5, reason: "busy" }, trainTask(1)];
    h.fail("update", refused(404, "missing"));
    await h.run();
    expect(h.of("error")).toEqual([]);
    expect(h.uploaded).toHaveLength(2);
  });
});

describe("what a strange server says does not make it hammer", () => {
  test.each([
    ["no number", "soon" as unknown as number, 30],
    ["nothing", undefined as unknown as number, 30],
    ["NaN", NaN, 30],
    ["less than nothing", -5, 0.25],
    ["longer than anybody waits", 1e10, 3600],
  ])("a wait of %s is a bearable one", async (_, seconds, expected) => {
    const h = new Harness();
    h.tasks = [{ kind: "wait", seconds, reason: "busy" }];
    await h.run();
    expect(h.of("waiting")).toEqual([{ type: "waiting", seconds: expected, reason: "busy" }]);
    expect(h.clock.slept).toEqual([1000 * expected]);
  });

  test("a stop without a reason is a stop", async () => {
    const h = new Harness();
    h.tasks = [{ kind: "stop", reason: null as unknown as string }, trainTask(0)];
    await h.run();
    expect(h.calls).toEqual(["join", "task token-1"]);
    expect(h.of("stopped")).toHaveLength(1);
  });

  test("a task of a kind that nobody knows is waited out, longer and longer", async () => {
    const h = new Harness();
    h.tasks = Array.from({ length: 5 }, () => ({ kind: "dance" }) as never);
    await h.run();
    const pauses = h.of("waiting").map(({ seconds }) => seconds);
    expect(pauses).toHaveLength(5);
    expect(pauses.at(-1)!).toBeGreaterThan(pauses[0]!);
  });

  test("after several answers in a row that make no sense the visitor is asked to reload the page", async () => {
    const h = new Harness();
    const riddle = () => new NotUnderstood("task.kind");
    h.tasks = [riddle(), riddle(), trainTask(0), riddle(), riddle(), riddle()];
    await h.run();
    const asked = h.of("error").map(({ message }) => message.includes("Reload the page"));
    expect(asked).toEqual([false, false, false, false, true]);
    expect(h.of("waiting").at(-1)!.reason).toContain("Reload the page");
  });

  test("an evaluation that was over before it began: a pause before the next task", async () => {
    const h = new Harness();
    h.tasks = [{ ...evaluateTask, expires_in: 0 } as Task];
    await h.run();
    expect(h.reported).toEqual([]);
    expect(h.clock.slept).toEqual([5000]);
  });
});

describe("what cannot be sent is let go, and nothing is announced twice", () => {
  test("a malformed ticket is not kept: the work is announced again, and gets another", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1)];
    h.fail("announce", new NotUnderstood("ticket.update_id"));
    await h.run();
    expect(h.announced.map(({ base_version }) => base_version)).toEqual([0, 1]);
    expect(h.uploaded).toEqual(["update-1", "update-2"]);
  });

  test("an address that cannot be reached is tried while the ticket is good, and then given up with its work", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1)];
    h.fail("upload", ...Array.from({ length: 100 }, gone));
    let uploads = 0;
    const { upload } = h.api;
    // Each try costs a quarter of the ticket's ten minutes; the second ticket's address works.
    h.api.upload = (...args) => {
      uploads++;
      if (h.announced.length > 1) h.faults.delete("upload");
      h.clock.spend(150_000);
      return upload(...args);
    };
    await h.run();
    expect(h.announced.map(({ base_version }) => base_version)).toEqual([0, 1]);
    expect(h.uploaded).toEqual(["update-2"]);
    expect(uploads).toBeLessThanOrEqual(5);
    expect(h.of("error").at(-1)).toMatchObject({ code: "stale", fatal: false });
  });

  test("an upload that fails for another reason than the network drops the work", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1)];
    h.fail("upload", new TypeError("Cannot destructure property 'url' of 'undefined'"));
    await h.run();
    expect(h.announced.map(({ base_version }) => base_version)).toEqual([0, 1]);
    expect(h.uploaded).toEqual(["update-2"]);
  });
});

describe("it gives up only where going on is pointless", () => {
  test("no such run", async () => {
    const h = new Harness();
    h.fail("join", refused(404, "missing"));
    expect(await h.run()).toBe("missing");
    expect(h.of("error")).toMatchObject([{ code: "missing", fatal: true }]);
  });

  test("no backend can train this model", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0)];
    h.fail("train", new NoBackend("no backend can train this model (wasm: it did not start)"));
    expect(await h.run()).toContain("no backend can train this model");
    expect(h.of("error")).toMatchObject([{ code: "no_backend", fatal: true }]);
  });

  test("a spec that nobody can train", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0)];
    h.fail("train", new BadSpec("the topology has no weight x"));
    expect(await h.run()).toBe("the topology has no weight x");
    expect(h.of("error")).toMatchObject([{ code: "bad_spec", fatal: true }]);
  });

  test("not where something in between refuses to let it join", async () => {
    const h = new Harness();
    h.fail("join", new Unavailable("something between this page and the server answered 403"));
    expect(await h.run()).toBe("the run is finished");
    expect(h.of("error")).toMatchObject([{ code: "unavailable", fatal: false }]);
  });

  test("a run that is deleted while somebody trains", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), refused(404, "missing")];
    h.fail("run", refused(404, "missing"));
    expect(await h.run()).toBe("missing");
    expect(h.of("error").map(({ code, fatal }) => [code, fatal])).toEqual([["missing", false], ["missing", true]]);
    expect(h.kept).toEqual(["dropped"]);
  });

  test("another run of the name is not the one that was joined", async () => {
    const h = new Harness();
    h.created = 2;
    h.fail("task token-1", refused(401, "unauthorized"));
    expect(await h.run()).toBe("the run digits was deleted, and another of its name was made since");
    expect(h.of("error")).toMatchObject([{ code: "missing", fatal: true }]);
    expect(h.calls).toEqual(["join", "task token-1", "run"]);
  });

  test("nor is it where nobody said which: the one that is there at first is meant", async () => {
    const h = new Harness();
    h.created = 5;
    h.fail("task token-1", refused(401, "unauthorized"));
    h.fail("task token-2", refused(401, "unauthorized"));
    const onEvent = ({ type }: ClientEvent) => void (type === "joined" && h.of("joined").length === 2 && (h.created = 7));
    expect(await h.run({ anyOfTheName: true, onEvent })).toBe("the run digits was deleted, and another of its name was made since");
    expect(h.calls).toEqual(["run", "join", "task token-1", "run", "join", "task token-2", "run"]);
  });

  test("a client that nobody said more than the name to gives up where there is no such run", async () => {
    const h = new Harness();
    h.fail("run", refused(404, "missing"));
    expect(await h.run({ anyOfTheName: true })).toBe("missing");
    expect(h.calls).toEqual(["run"]);
  });

  test("not where something of the run is missing, and the run is there", async () => {
    const h = new Harness();
    h.fail("task token-1", refused(404, "missing"));
    expect(await h.run()).toBe("the run is finished");
    expect(h.of("joined")).toHaveLength(2);
  });
});

describe("start, pause, stop", () => {
  const pausing = (h: Harness, at: ClientEvent["type"]) => {
    const client = h.join({ onEvent: ({ type }) => void (type === at && h.of("paused").length === 0 && client.pause()) });
    client.start();
    return client;
  };
  const idle = async (h: Harness) => {
    for (let i = 0; i < 50; i++) await h.clock.breathe();
  };

  test("a pause holds after the current step, and start goes on with the same task", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0)];
    const client = pausing(h, "step");
    await idle(h);
    expect(h.uploaded).toEqual([]);
    const held = h.clock.now();

    client.start();
    await client.finished;
    expect(held).toBe(10);
    expect(h.announced).toMatchObject([{ base_version: 0, local_steps: 4 }]);
    expect(h.events.map(({ type }) => type)).toContain("resumed");
  });

  test("a pause between tasks holds before the next one", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1)];
    const client = pausing(h, "uploaded");
    await idle(h);
    expect(h.uploaded).toEqual(["update-1"]);
    expect(h.of("settled").map(({ updateId }) => updateId)).toEqual(["update-1"]);
    client.start();
    await client.finished;
    expect(h.uploaded).toHaveLength(2);
  });

  test("a client that was forgotten does not join anew while it is paused", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1)];
    h.api.getUpdate = (_run, _token, update_id) => {
      const open = { reason: null, base_version: 0, version: null, staleness: null, discount: null };
      return Promise.resolve({ update_id, state: "pending", ...open });
    };
    let announcements = 0;
    const { announce } = h.api;
    h.api.announce = (...args) => {
      if (++announcements !== 2) return announce(...args);
      client.pause();
      return Promise.reject(refused(401, "unauthorized"));
    };
    const client = h.join();
    client.start();
    await idle(h);
    expect(h.of("joined")).toHaveLength(1);
    client.start();
    await client.finished;
    expect(h.of("joined")).toHaveLength(2);
    expect(h.uploaded).toHaveLength(2);
  });

  test.each(["joined", "task", "step", "uploaded"] as const)("stop at %s leaves quietly", async (at) => {
    const h = new Harness();
    h.tasks = [trainTask(0), trainTask(1)];
    const client = h.join({ onEvent: ({ type }) => void (type === at && void client.stop()) });
    client.start();
    expect(await client.finished).toBe("left");
    expect(h.of("error")).toEqual([]);
    expect(h.of("stopped")).toHaveLength(1);
  });

  test("stop while paused, and while waiting", async () => {
    const paused = new Harness();
    paused.tasks = [trainTask(0)];
    const client = pausing(paused, "step");
    await idle(paused);
    await client.stop();
    expect(paused.of("stopped")).toEqual([{ type: "stopped", reason: "left" }]);

    const waiting = new Harness();
    waiting.tasks = [{ kind: "wait", seconds: 1e6, reason: "busy" }, trainTask(0)];
    const other = waiting.join({ onEvent: ({ type }) => void (type === "waiting" && void other.stop()) });
    other.start();
    expect(await other.finished).toBe("left");
    expect(waiting.uploaded).toEqual([]);
  });

  test("a signal from outside stops it too, even one that was raised before", async () => {
    const h = new Harness();
    const client = h.join({ signal: AbortSignal.abort() });
    client.start();
    expect(await client.finished).toBe("left");
    expect(h.calls).toEqual([]);
  });

  test("stop after the end, and start after the end, do nothing", async () => {
    const h = new Harness();
    h.tasks = [stopTask];
    const client = h.join();
    client.start();
    await client.finished;
    await client.stop();
    client.start();
    expect(h.of("stopped")).toHaveLength(1);
  });
});

describe("power", () => {
  test.each([100, 50, 25, 10])("at %s %% the machine is busy that share of the time", async (power) => {
    const h = new Harness();
    h.tasks = Array.from({ length: 50 }, (_, version) => trainTask(version));
    await h.run({ power });
    const busy = 50 * 4 * h.stepMs;
    expect(busy / h.clock.now()).toBeCloseTo(power / 100, 2);
  });

  test("what a coarse timer oversleeps is worked off again", async () => {
    const h = new Harness();
    h.tasks = Array.from({ length: 100 }, (_, version) => trainTask(version));
    const { sleep } = h.clock;
    h.clock.sleep = (ms, signal) => sleep(ms + 15, signal);
    await h.run({ power: 50 });
    expect((400 * h.stepMs) / h.clock.now()).toBeCloseTo(0.5, 2);
  });

  test("a change is felt in the middle of a long pause", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0)];
    h.stepMs = 1000;
    const { sleep } = h.clock;
    h.clock.sleep = (ms, signal) => {
      client.setPower(100);
      return sleep(ms, signal);
    };
    const client = h.join({ power: 1 });
    client.start();
    await client.finished;
    expect(h.clock.now()).toBe(4500);
  });

  test("a change is felt in the middle of a task", async () => {
    const h = new Harness();
    h.tasks = Array.from({ length: 20 }, (_, version) => trainTask(version));
    const client = h.join({
      power: 1,
      onEvent: (event) => void (event.type === "step" && h.of("step").length === 2 && client.setPower(100)),
    });
    client.start();
    await client.finished;
    expect(h.clock.now()).toBeLessThan(80 * h.stepMs + 3 * 99 * h.stepMs);
  });

  test("a task that would outlive its URLs ends early and sends what it has", async () => {
    const h = new Harness();
    h.tasks = [trainTask(0)];
    h.stepMs = 250_000;
    await h.run();
    expect(h.announced).toMatchObject([{ local_steps: 3, examples: 192 }]);
  });

  test("an evaluation that comes too late is not reported", async () => {
    const h = new Harness();
    h.tasks = [evaluateTask];
    h.stepMs = 601_000;
    await h.run();
    expect(h.reported).toEqual([]);
  });
});

test("step events come at most ten times a second, and with the last step", async () => {
  const h = new Harness();
  h.tasks = Array.from({ length: 25 }, (_, version) => trainTask(version));
  await h.run();
  const steps = h.of("step");
  expect(steps.filter(({ step }) => step === 4)).toHaveLength(25);
  expect(steps.length).toBeLessThan(25 + 11);
  expect(steps.at(-1)!.imagesPerSecond).toBeCloseTo(6400, 0);
});
