"""Whether `pip install -e '.[tf]'` alone, in an environment that has nothing, imports and exports models.

    python tests/package/fresh_tf.py [FOLDER]

By hand, for it downloads two gigabytes. FOLDER is for the environment; without it, a temporary one.
"""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

ROUND_TRIPS = """
import json, sys, tempfile
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import numpy as np
import zoo

from webnn.keras.exporting import Trained, export
from webnn.keras.importing import imported
from webnn.keras.tensorflow import kerases

random, found = np.random.default_rng(0), {}
with tempfile.TemporaryDirectory() as folder:
    for which in ("keras", "tf_keras"):
        path = Path(folder) / f"{which}.keras"
        zoo.branches(getattr(kerases(), which)).save(path)
        model = imported(path, random)
        trained = Trained(model.topology, model.specs, model.weights)
        found[f"{which} in"] = model.apart
        for form, name in (("keras", "out.keras"), ("h5", "out.h5"), ("saved_model", "out"), ("tfjs", "web")):
            out = Path(folder) / which / name
            export(trained, out, form, False, random)
            again = imported(out, random)
            assert sorted(again.weights.tolist()) == sorted(model.weights.tolist()), form
        found[f"{which} out and in"] = "the same weights"
names = ("tensorflow", "keras", "tf_keras", "numpy", "protobuf", "h5py")
print(json.dumps({"versions": {name: version(name) for name in names}, "apart": found}))
"""


def main(folder: str) -> None:
    venv.create(folder, with_pip=True)
    python = Path(folder) / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", f"{CHECKOUT}[tf]"]
    subprocess.run(install, check=True)
    subprocess.run([python, "-m", "pip", "check"], check=True)
    ran = subprocess.run(
        [python, "-c", ROUND_TRIPS, CHECKOUT / "tests" / "keras"], check=True, capture_output=True, text=True
    )
    print(json.dumps(json.loads(ran.stdout.splitlines()[-1]), indent=1))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(temporary)
