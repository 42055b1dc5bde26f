/** The test server on its own, for looking at the pages: prints the API's address. */

import { digits, mnist, shardFor, training, weightsFor } from "./specs";
import { TestServer, type World } from "./server";

const shard = (spec: typeof digits, examples: number, seed: number) => ({ body: shardFor(spec, examples, seed), examples });
const spec = process.argv[2] === "mnist" ? mnist : digits;
const world: World = {
  spec,
  training: { ...training, learning_rate: 0.02 },
  weights: weightsFor(spec),
  train: [1, 2, 3, 4].map((seed) => shard(spec, 500, seed)),
  validation: [11, 12].map((seed) => shard(spec, 180, seed)),
  evaluateEvery: 20,
  versions: Number(process.argv[3] ?? 1e9),
};
const server = await TestServer.start(world, Number(process.argv[4] ?? 0));
process.stdout.write(`${server.api}\n`);
