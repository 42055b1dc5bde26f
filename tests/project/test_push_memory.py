"""However large the data, a push holds a few shards of it.

WEBNN_PUSH_MEGABYTES=10000 pytest -s tests/project/test_push_memory.py     as much as that
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from folders import a_dense, a_folder, a_model

HERE = Path(__file__).parent
MEGABYTE = 1_000_000
LIMIT = 250 * MEGABYTE  # on top of what the process takes before
STORED = int(os.environ.get("WEBNN_PUSH_MEGABYTES", "300"))

# As stored; it comes as float64, eight times as much. The store counts bodies and keeps none.
DATA = f"""
import numpy as np

def train():
    random = np.random.default_rng(0)
    for _ in range({STORED}):
        yield random.integers(0, 255, (250, 4000)) / 255, random.integers(0, 3, 250)

def validation():
    return np.random.default_rng(1).integers(0, 255, (10, 4000)) / 255, np.zeros(10, int)
"""
TOML = """
[data.inputs.x]
shape = [4000]
store = "uint8"
scale = 0.00392156862745098
[data.targets.class]
dtype = "int32"
store = "uint8"
"""
PUSH = """
import resource, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
from samples import a_world
from webnn.project.folder import check, read
from webnn.project.push import push
from webnn.store import keys
from webnn.store.memory import MemoryBlobs

class Counting(MemoryBlobs):
    taken = 0

    def create(self, key, body):
        if key.startswith("shards/"):
            Counting.taken += len(body)
            body = b""
        super().create(key, body)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

project = read(Path(sys.argv[2]))
world = a_world(blobs=Counting())
before = peak()
push(project, world.services.runs, "dev", lambda _: None)
print(Counting.taken, peak() - before, peak())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in other units elsewhere")
def test_a_push_of_any_size_stays_within_250_megabytes(tmp_path: Path) -> None:
    model = a_model([a_dense("class", 3, 4000)], [("class/kernel", [4000, 3]), ("class/bias", [3])])
    folder = a_folder(tmp_path, data=DATA, toml=TOML, model=model)
    done = subprocess.run(
        [sys.executable, "-c", PUSH, str(HERE.parent), str(folder)], capture_output=True, text=True, check=True
    )
    taken, grown, peak = map(int, done.stdout.split())
    print(f"{taken / MEGABYTE:,.0f} MB pushed, {peak / MEGABYTE:.0f} MB of memory at most")
    assert taken == (250 * STORED + 10) * 4001
    assert grown < LIMIT, f"{grown / MEGABYTE:.0f} MB"
