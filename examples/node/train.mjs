// Takes part in a run for a number of updates, then asks the model: node train.mjs API RUN [UPDATES]

import { join } from "@webnn/client";

const [api, name, updates = "5"] = process.argv.slice(2);
if (!name) ended("usage: node train.mjs API RUN [UPDATES]   (API: the address that `webnn dev` prints behind \"The API:\")");
const run = await join(api, name).catch(({ message }) => ended(message));
console.log(`${run.description.title}: version ${run.description.head.version}`);

const contribution = run.contribute();
let sent = 0;
run.on("uploaded", ({ steps, bytes }) => {
  console.log(`update ${++sent}: ${steps} steps, ${bytes} bytes`);
  if (sent === Number(updates)) void contribution.stop();
});
console.log(`training ended: ${await contribution.finished}`);

const inputs = run.description.data.inputs.map(({ shape }) => new Float32Array(shape.reduce((a, b) => a * b, 1)));
const { outputs, version } = await run.predict(inputs);
for (const { name: output, values } of outputs) {
  console.log(`version ${version} on blank input, ${output}: ${Array.from(values, (value) => value.toFixed(3)).join(" ")}`);
}
run.close();

function ended(why) {
  console.error(why);
  process.exit(1);
}
