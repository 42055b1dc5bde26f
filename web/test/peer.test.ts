import { beforeEach, describe, expect, test } from "vitest";

import { Refused, Unavailable } from "../src/errors";
import { Peer, type Company } from "../src/peer";
import type { ClientEvent } from "../src/messages";
import type { Blob, Exchanged, PeerTraining, Spec, TrainTask } from "../src/protocol";
import { digits, training } from "./specs";

const spec: Spec = { ...digits, weightsManifest: [{ weights: [{ name: "line/kernel", shape: [2], dtype: "float32" }] }] };
const blob = (name: string, bytes = 8): Blob => ({ url: `blob:${name}`, sha256: name, bytes });
const peers: PeerTraining = { rule: "average", genesis: blob("genesis"), steps: 10 };
const task = (generation = 0): TrainTask => ({
  kind: "train", version: 5, generation, model: blob("model"), checkpoint: blob(`head ${generation}`),
  shard: { ...blob("shard"), examples: 10 }, offset: 0, seed: 1, training, peer: peers, validation: null, expires_in: 600,
});
const body = (...values: number[]): ArrayBuffer => Float32Array.from(values).buffer;
const floats = (buffer: ArrayBuffer): number[] => [...new Float32Array(buffer)];

/** A server of blobs, that gives what it is told to give for an update. */
class World {
  readonly blobs = new Map([["genesis", body(1, 1)], ["head 0", body(3, 5)], ["head 1", body(0, 0)], ["theirs", body(6, 8)]]);
  readonly events: ClientEvent[] = [];
  readonly asked: string[] = [];
  readonly stop = new AbortController();
  given: Exchanged | Error = { peer: null };

  readonly around: Company = {
    api: {
      download: ({ sha256 }) => {
        this.asked.push(sha256);
        const found = this.blobs.get(sha256);
        return found ? Promise.resolve(found) : Promise.reject(new Unavailable("gone"));
      },
      exchange: (_run, _token, update) => {
        this.asked.push(`exchange ${update}`);
        return this.given instanceof Error ? Promise.reject(this.given) : Promise.resolve(this.given);
      },
    },
    blobs: { get: ({ sha256 }) => Promise.resolve(this.blobs.get(sha256)!) },
    run: "line",
    signal: this.stop.signal,
    emit: (event) => void this.events.push(event),
  };
}

const theirs = (change: object = {}): Exchanged => ({
  peer: {
    update_id: "theirs", local_steps: 20, examples: 64, accuracy: null, encoding: "float32", quantization: [],
    body: blob("theirs"), ...change,
  },
});

let world: World;
let peer: Peer;
beforeEach(() => {
  world = new World();
  peer = new Peer(world.around);
});

/** Trains to these weights and sends them. */
async function trainedTo(...weights: number[]): Promise<number> {
  await peer.start(task(), peers, spec);
  const steps = peer.trained(Float32Array.from(weights), 4, null);
  peer.sent("mine");
  return steps;
}

describe("a peer", () => {
  test("begins with the head, and stands on the genesis", async () => {
    const { checkpoint, origin } = await peer.start(task(), peers, spec);
    expect([floats(checkpoint), floats(origin)]).toEqual([[3, 5], [1, 1]]);
  });

  test("goes on from its own weights, without loading the head again", async () => {
    expect(await trainedTo(4, 4)).toBe(14);
    expect(floats((await peer.start(task(), peers, spec)).checkpoint)).toEqual([4, 4]);
    expect(world.asked).toEqual(["head 0"]);
  });

  test("merges what it is given: genesis and delta, half and half with its own", async () => {
    world.given = theirs();
    await trainedTo(4, 4);
    await peer.meet("token");
    expect(floats((await peer.start(task(), peers, spec)).checkpoint)).toEqual([5.5, 6.5]);
    expect(world.events).toEqual([{ type: "met", updateId: "theirs", steps: 20 }]);
    expect(peer.trained(Float32Array.from([0, 0]), 4, null)).toBe(24);
  });

  test("holds variances at 0 or above, and nothing else", async () => {
    const norm = ["norm/beta", "norm/moving_variance"].map((name) => ({ name, shape: [1], dtype: "float32" as const }));
    const normalised: Spec = { ...spec, weightsManifest: [{ weights: norm }] };
    world.given = theirs();
    world.blobs.set("theirs", body(-9, -9));
    await peer.start(task(), peers, normalised);
    peer.trained(Float32Array.from([4, 4]), 4, null);
    peer.sent("mine");
    await peer.meet("token");
    expect(floats((await peer.start(task(), peers, normalised)).checkpoint)).toEqual([-2, 0]);
  });

  test("asks once for each update that it sent", async () => {
    await trainedTo(4, 4);
    await peer.meet("token");
    await peer.meet("token");
    expect(world.asked).toEqual(["head 0", "exchange mine"]);
  });

  test("begins again with the head after a rollback, and after its training went wrong", async () => {
    await trainedTo(4, 4);
    expect(floats((await peer.start(task(1), peers, spec)).checkpoint)).toEqual([0, 0]);
    peer.forget();
    expect(floats((await peer.start(task(), peers, spec)).checkpoint)).toEqual([3, 5]);
  });

  test("claims no more steps than are accepted", async () => {
    await peer.start(task(), peers, spec);
    expect(peer.trained(Float32Array.from([0, 0]), 200_000, null)).toBe(100_000);
  });

  test("reads a quantised delta", async () => {
    world.blobs.set("packed", Uint8Array.from([2, 4]).buffer);
    world.given = theirs({ body: blob("packed", 2), encoding: "uint8", quantization: [{ min: -1, scale: 0.5 }] });
    await trainedTo(1, 2);
    await peer.meet("token");
    expect(floats((await peer.start(task(), peers, spec)).checkpoint)).toEqual([1, 2]);
  });
});

describe("trains on with its own weights when", () => {
  test.each<[string, (world: World) => void]>([
    ["the server does not answer", (w) => (w.given = new Unavailable("no"))],
    ["the exchange is refused", (w) => (w.given = new Refused(409, "conflict", "paused", {}))],
    ["the other's update cannot be had", (w) => (w.given = theirs({ body: blob("gone") }))],
    ["it has another size", (w) => (w.given = theirs({ body: blob("genesis"), encoding: "float16" }))],
    ["it is quantised in another way", (w) => (w.given = theirs({ quantization: [{ min: 0, scale: 1 }] }))],
    ["it holds NaN", (w) => (w.blobs.set("theirs", body(NaN, 0)), (w.given = theirs()))],
    ["it holds infinity", (w) => (w.blobs.set("theirs", body(Infinity, 0)), (w.given = theirs()))],
  ])("%s", async (_name, break_) => {
    break_(world);
    await trainedTo(4, 4);
    await peer.meet("token");
    expect(floats((await peer.start(task(), peers, spec)).checkpoint)).toEqual([4, 4]);
  });

  test("but tells when its token is none any more, and when it is to stop", async () => {
    world.given = new Refused(401, "unauthorized", "who?", {});
    await trainedTo(4, 4);
    await expect(peer.meet("token")).rejects.toThrow("who?");
    await trainedTo(4, 4);
    world.stop.abort(new Error("enough"));
    await expect(peer.meet("token")).rejects.toThrow("enough");
  });
});
