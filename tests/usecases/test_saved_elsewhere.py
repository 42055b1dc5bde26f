"""Saved models in the hands of those whom they are for: TF.js, by its own loader, and Keras 2."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from samples import a_world

from webnn import saving
from webnn.core import spec as specs
from webnn.core.initial import initial_weights
from webnn.core.wire import Vector

CHECKOUT = Path(__file__).parents[2]
WEB = CHECKOUT / "web"
KERAS = CHECKOUT / "build" / "experiments" / "bin" / "python"

IN_TFJS = """
import { createRequire } from "module";
import { readFileSync } from "fs";
const [web, folder] = process.argv.slice(1);
const require = createRequire(`${web}/package.json`);
const tf = require("@tensorflow/tfjs-core");
require("@tensorflow/tfjs-backend-cpu");
const { loadLayersModel } = require("@tensorflow/tfjs-layers");
const fetchFunc = async (url) => {
  const type = url.endsWith(".json") ? "application/json" : "application/octet-stream";
  return new Response(readFileSync(`${folder}/${url.split("/").pop()}`), { headers: { "Content-Type": type } });
};
const model = await loadLayersModel(tf.io.http("http://there/model.json", { fetchFunc }));
const found = await model.predict(tf.ones([1, ...model.inputs[0].shape.slice(1)])).data();
process.stdout.write(JSON.stringify({ found: Array.from(found), told: model.getUserDefinedMetadata() }));
"""

IN_KERAS = """
import json, sys
import numpy as np
import tf_keras
folder = sys.argv[1]
document = json.load(open(f"{folder}/model.json"))
model = tf_keras.models.model_from_json(json.dumps(document["modelTopology"]))
(group,) = document["weightsManifest"]
bodies = np.fromfile(f"{folder}/{group['paths'][0]}", "<f4")
ends = np.cumsum([np.prod(one["shape"], dtype=int) for one in group["weights"]])
parts = {one["name"]: part.reshape(one["shape"]) for one, part in zip(group["weights"], np.split(bodies, ends))}
model.set_weights([parts[weight.name.removesuffix(":0")] for weight in model.weights])
found = model.predict(np.ones((1, *model.input_shape[1:])), verbose=0)
print(json.dumps({"found": found[0].tolist()}))
"""


def predicted(weights: Vector) -> Vector:
    """What the model of the digits makes of an image that is white all over: one hidden layer of 32."""
    hidden = np.maximum(weights[:2048].reshape(64, 32).sum(0) + weights[2048:2080], 0)
    odds = np.exp(hidden @ weights[2080:2400].reshape(32, 10) + weights[2400:])
    return np.asarray(odds / odds.sum(), np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    document = json.loads((CHECKOUT / "examples" / "digits" / "spec.json").read_text())
    shard = {"sha256": "a" * 64, "bytes": 65, "examples": 1}
    body = specs.encode(document | {"data": document["data"] | {"train": [shard], "validation": [shard]}})
    weights = initial_weights(specs.parse(body).weights, np.random.default_rng(1))
    world, folder = a_world(), tmp_path_factory.mktemp("saved")
    world.services.runs.start("digits", "", "", body, weights)
    saving.write(world.services.saver.model("digits"), folder, force=False)
    return folder


def said(*command: str | Path) -> dict[str, object]:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    found: dict[str, object] = json.loads(ended.stdout.splitlines()[-1])
    return found


def test_tf_js_predicts_with_it(folder: Path) -> None:
    node = shutil.which("node")
    if node is None or not (WEB / "node_modules" / "@tensorflow" / "tfjs-layers").exists():
        pytest.skip("the web client's packages are not installed: make setup")
    shown = said(node, "--input-type=module", "--eval", IN_TFJS, WEB, folder)
    np.testing.assert_allclose(shown["found"], predicted(np.fromfile(folder / "weights.bin", "<f4")), atol=1e-6)
    assert shown["told"] == json.loads((folder / "model.json").read_text())["userDefinedMetadata"]


def test_keras_predicts_with_it(folder: Path) -> None:
    if not KERAS.exists():
        pytest.skip("TensorFlow is not set up: make build/experiments/.stamp")
    shown = said(KERAS, "-c", IN_KERAS, folder)
    np.testing.assert_allclose(shown["found"], predicted(np.fromfile(folder / "weights.bin", "<f4")), atol=1e-6)
