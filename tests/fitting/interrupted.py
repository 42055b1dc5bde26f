"""A finished run of `fit`, whose own stage is being closed: Ctrl-C is to come meanwhile, and once more from the stage.

python interrupted.py
"""

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent

from samples import a_world

from webnn.fitting.reaching import Reached
from webnn.fitting.run import Run
from webnn.local.processes import child

STAGE = dedent(
    """
    import os, signal, sys
    def end(*_):
        os.kill(int(sys.argv[1]), signal.SIGINT)
        sys.exit()
    signal.signal(signal.SIGTERM, end)
    print("up", flush=True)
    while True:
        signal.pause()
    """
)


def main() -> None:
    world = a_world()
    world.start()
    world.services.control.finish("line")
    stack = ExitStack()
    command = (sys.executable, "-c", STAGE, str(os.getpid()))
    own = stack.enter_context(child("the stage", command, os.environ, Path.cwd()))
    while not own.lines_from(0)[0]:
        own.check()
    reached = Reached("https://pages.test/index.html", world.services, own)
    run = Run("line", "local", None, (), reached, stack, show=True)
    run.close()
    print(f"closed at version {run.status().version}, {own.process.poll() is not None}", flush=True)


if __name__ == "__main__":
    main()
