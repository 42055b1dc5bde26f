import { readFileSync } from "node:fs";
import { test, beforeAll } from "vitest";
import { models, tf } from "../src/tf";
import { buildModel } from "../src/model";
import { useWasm } from "./wasm";
beforeAll(useWasm);
const zoo = JSON.parse(readFileSync("/tmp/kx/zoo.json","utf8"));
test("all", async () => {
  let fine = 0;
  for (const [name, entry] of Object.entries<any>(zoo)) {
    try {
      const m = await models.modelFromJSON({ modelTopology: entry.topology });
      const names = m.weights.map((w) => w.originalName).sort();
      const want = entry.weights.map((w: any) => w.name).sort();
      if (`${names}` !== `${want}`) { console.log("NAMES", name, names, want); }
      const by = new Map(m.weights.map((w) => [w.originalName, w]));
      for (const w of entry.weights) by.get(w.name)!.write(tf.tensor(w.values, w.shape));
      const xs = entry.inputs.map((x: any) => tf.tensor(x.values, x.shape, x.dtype));
      const ys = [m.predict(xs.length > 1 ? xs : xs[0])].flat() as any[];
      let worst = 0;
      for (const [i, y] of ys.entries()) {
        const v = await y.data(); if (`${y.shape}` !== `${entry.outputs[i].shape}`) console.log("SHAPE", name, y.shape);
        v.forEach((a: number, k: number) => (worst = Math.max(worst, Math.abs(a - entry.outputs[i].values[k]))));
      }
      if (!(worst < 1e-5)) console.log("DIFF", name, worst);
      m.compile({ optimizer: tf.train.sgd(0.1), loss: "meanSquaredError" });
      const before = await Promise.all(m.trainableWeights.map((w) => w.read().data()));
      const loss = [await m.trainOnBatch(xs, ys.map((y) => tf.zerosLike(y)))].flat()[0];
      const after = await Promise.all(m.trainableWeights.map((w) => w.read().data()));
      const still = m.trainableWeights.filter((_, i) => before[i]!.every((v, k) => v === after[i]![k])).map((w) => w.originalName);
      if (!Number.isFinite(loss) || still.length) console.log("TRAIN", name, loss, still);
      fine++;
    } catch (e) { console.log("FAIL", name, String(e).slice(0, 300)); }
  }
  console.log("fine", fine, Object.keys(zoo).length);
}, 300000);
