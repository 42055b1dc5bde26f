"""Time and chance as a client meets them: waiting that a word from another thread cuts short."""

from collections.abc import Callable
from threading import Event

FIRST, CAP = 0.5, 30.0  # seconds of a back-off
SHORTEST, LONGEST = 0.02, 0.5  # seconds that are slept at once: timers are not more precise; a change is felt soon


class Left(Exception):  # no error: somebody said stop
    """The client was told to leave."""


class Time:
    """A clock, chance, and a gate that can be shut. `leave`, `shut` and `reopen` may be called from any thread."""

    def __init__(self, now: Callable[[], float], chance: Callable[[], float]) -> None:
        """Takes a clock in seconds that never runs backwards, and a source of numbers in [0, 1)."""
        self.now, self.chance = now, chance
        self._leaving, self._open = Event(), Event()
        self._open.set()

    def leave(self) -> None:
        """From now on everything that waits raises Left."""
        self._leaving.set()
        self._open.set()

    def shut(self) -> None:
        """Holds whoever comes to the gate."""
        self._open.clear()

    def reopen(self) -> None:
        """Lets them go on."""
        self._open.set()

    @property
    def is_shut(self) -> bool:
        """Whether the gate is shut."""
        return not self._open.is_set()

    @property
    def leaving(self) -> bool:
        """Whether the client was told to leave."""
        return self._leaving.is_set()

    def check(self) -> None:
        """Raises Left if the client was told to leave."""
        if self._leaving.is_set():
            raise Left

    def sleep(self, seconds: float) -> None:
        """Waits. Raises Left at once when the client is told to leave."""
        self._leaving.wait(seconds)
        self.check()

    def gate(self) -> None:
        """Waits until the gate is open. Raises Left when the client is told to leave."""
        self._open.wait()
        self.check()

    def backoff(self, attempt: int, first: float = FIRST, cap: float = CAP) -> float:
        """Full-jitter exponential back-off in seconds: anything up to `first` 2^attempt, at most `cap`."""
        ceiling = min(cap, first * 2.0 ** min(attempt, 30))
        # Never less than a tenth, so that no run of luck turns waiting into hammering.
        return ceiling * (0.1 + 0.9 * self.chance())


class Throttle:
    """How much of the machine training may take, in percent of the time; what is owed is slept off in parts."""

    def __init__(self, time: Time, power: float) -> None:
        """Takes the clock and 1 to 100 percent."""
        self._time = time
        self._owed = 0.0
        self._idle_per_busy = 0.0
        self.set_power(power)

    def set_power(self, power: float) -> None:
        """Changes it; what was owed under the other is forgotten."""
        self._idle_per_busy, self._owed = 100 / min(100.0, max(1.0, power)) - 1, 0.0

    def after(self, busy: float) -> None:
        """To be called after each piece of work of so many seconds. Raises Left."""
        self._owed += busy * self._idle_per_busy
        while self._owed >= SHORTEST:
            start = self._time.now()
            self._time.sleep(min(self._owed, LONGEST))
            self._owed -= self._time.now() - start  # what was overslept counts too
        self._time.gate()
