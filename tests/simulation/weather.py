"""What happens to requests on their way: nothing on calm days, anything in a storm."""

import random  # noqa: TID251  # seeded: it is chance that is simulated
from collections import Counter
from typing import Any

from webnn.simulate.network import PATIENCE_MILLISECONDS, Fate

WRITES = {
    "commit", "open_update", "create", "join", "touch", "claim_evaluation", "record_evaluation", "set_status",
    "claim_merging", "set_sweep_mark", "delete", "send", "upload",
}  # fmt: skip
REFUSABLE = {"commit", "create", "claim_merging"}
MINUTE = 60_000


class Sky:
    """The weather of a whole life.

    Attributes:
        harsh: The probability that something happens to a request.
        slow: The probability that one takes long, and how long.
        happened: What did.
    """

    def __init__(self, chance: random.Random, calm: bool) -> None:
        self.chance = chance
        self.harsh = 0.0 if calm else chance.choice([0.01, 0.04, 0.1])
        self.slow = 0.0 if calm else chance.choice([0.0, 0.02, 0.05])
        self.pace = chance.choice([0.2, 0.005])  # of requests that go well: 5 ms or 200 ms each way
        self.happened: Counter[str] = Counter()

    @property
    def slowly(self) -> bool:
        """Whether even requests that go well take long."""
        return self.pace < 0.1

    def clears(self) -> None:
        self.harsh = self.slow = 0.0

    def over(self, *, kills: bool, late: float = 0.0) -> "Over":
        """The weather over one kind of caller; some cannot be killed, only left without an answer.

        Args:
            kills: Whether they can.
            late: The probability that a commit arrives just when its sender has looked whether it did.
        """
        return Over(self, kills, late)


class Over:
    def __init__(self, sky: Sky, kills: bool, late: float) -> None:
        self._sky = sky
        self._kills = kills
        self._late = late

    def __call__(self, method: str, _arguments: tuple[Any, ...]) -> Fate:
        chance, sky = self._sky.chance, self._sky
        there, back = int(chance.expovariate(sky.pace)), int(chance.expovariate(sky.pace))
        if chance.random() < sky.slow:
            there += chance.randrange(30_000)
        if method == "commit" and sky.harsh and chance.random() < self._late:
            return Fate(there, back, loses="request", late=PATIENCE_MILLISECONDS + there + chance.randrange(400))
        if chance.random() >= sky.harsh:
            return Fate(there, back)
        kind = chance.choice(self._kinds(method))
        sky.happened[kind] += 1
        soon = chance.choice([0, 5_000, 30_000, 9 * MINUTE, PATIENCE_MILLISECONDS + chance.randrange(500)])
        return _fate(kind, there, back, soon)

    def _kinds(self, method: str) -> list[str]:
        kinds = ["lost request", "lost answer"]
        if self._kills:
            kinds += ["killed before", "killed after"]
        if method in WRITES:
            kinds += ["late", "twice"]
        if method in REFUSABLE:
            kinds += ["refused"]
        return kinds


def _fate(kind: str, there: int, back: int, soon: int) -> Fate:
    fates = {
        "lost request": Fate(there, back, loses="request"),
        "lost answer": Fate(there, back, loses="answer"),
        "killed before": Fate(there, back, kills="before"),
        "killed after": Fate(there, back, kills="after"),
        "late": Fate(there, back, loses="request", late=soon),
        "twice": Fate(there, back, twice=soon),
        "refused": Fate(there, back, refused=True),
    }
    return fates[kind]
