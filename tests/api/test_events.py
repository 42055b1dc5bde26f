"""What the queue and the schedule set off, with the events that AWS sends."""

import json
import logging
import weakref
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import pytest
from asking import Api
from faults import Faulty, around
from samples import World, a_world, an_id, body_of, never

from webnn import doorbell
from webnn.core.records import Update
from webnn.decision import GRACE_MILLISECONDS
from webnn.doorbell import Ring
from webnn.errors import Corrupt, Invalid, Unavailable
from webnn.store import keys
from webnn.store.ports import MAX_COMMIT


@pytest.fixture
def merge(api: Api) -> Callable[..., Any]:
    """Calls the merge function with messages of these bodies, as the queue does."""
    api.world.start()

    def call(*bodies: str) -> Any:
        event = api.client.events.generate_sqs_event(list(bodies), "webnn-local-doorbell")
        return api.client.lambda_.invoke("merge", event).payload

    return call


@pytest.fixture
def uploaded(api: Api) -> Callable[..., str]:
    """The message of S3 about objects in the data bucket."""

    def message(*found: str) -> str:
        events = [api.client.events.generate_s3_event("data", quote_plus(key)) for key in found]
        return json.dumps({"Records": [record for event in events for record in event["Records"]]})

    return message


@pytest.fixture
def other(world: World, merge: object) -> World:
    """A second run on the same stores."""
    found = a_world(world.catalog, world.blobs, world.clock, world.ids, name="other")
    found.start()
    return found


def key_of(update: Update) -> str:
    return keys.update(update.run, update.update_id)


def ring(run: str) -> str:
    """A message of our own, as somebody may put it on the queue by hand."""
    return json.dumps({"run": run})


TEST_EVENT = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "data"})


class TestMerge:
    def test_an_upload_is_merged(self, world: World, merge: Any, uploaded: Any) -> None:
        update = world.contribute([1, 0, 0])
        assert merge(uploaded(key_of(update))) == {"runs": 1, "merged": 1}
        assert world.now(update).version == 1

    def test_uploads_of_several_runs_in_one_batch_are_merged(
        self, world: World, other: World, merge: Any, uploaded: Any
    ) -> None:
        first, second, third = world.contribute([1, 0, 0]), other.contribute([1, 0, 0]), world.contribute([1, 0, 0])
        bodies = [uploaded(key_of(first), key_of(second)), uploaded(key_of(third))]
        assert merge(*bodies) == {"runs": 2, "merged": 3}

    def test_a_message_that_comes_again_merges_nothing_twice(self, world: World, merge: Any, uploaded: Any) -> None:
        message = uploaded(key_of(world.contribute([1, 0, 0])))
        assert [merge(message, message)["merged"], merge(message)["merged"]] == [1, 0]
        assert world.weights == [2, 2, 3]

    def test_our_own_ring_is_heard(self, world: World, merge: Any) -> None:
        world.contribute([1, 0, 0])
        assert merge(ring("line")) == {"runs": 1, "merged": 1}

    def test_s3s_test_event_is_let_be(self, merge: Any) -> None:
        assert merge(TEST_EVENT) == {"runs": 0, "merged": 0}

    @pytest.mark.parametrize(
        "key",
        [
            "checkpoints/line/000000000001-x.bin",
            "updates/line.bin",
            "updates//" + an_id(1) + ".bin",
            "updates/line/x.bin",
            "updates/LINE/" + an_id(1) + ".bin",
            "updates/line/" + an_id(1) + ".bin/more",
            "shards/ü.bin",
        ],
    )
    def test_objects_that_are_no_updates_are_let_be(self, merge: Any, uploaded: Any, key: str) -> None:
        assert merge(uploaded(key)) == {"runs": 0, "merged": 0}

    def test_a_run_that_is_not_there_is_noted_and_let_be(
        self, world: World, merge: Any, uploaded: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        update = world.contribute([1, 0, 0])
        assert merge(uploaded(keys.update("gone", an_id(1)), key_of(update))) == {"runs": 2, "merged": 1}
        assert "'gone'" in caplog.text

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "not JSON",
            "[]",
            "null",
            "{}",
            '{"run": 5}',
            '{"run": ""}',
            '{"run": "*"}',
            '{"run": "line\\n"}',
            '{"Records": 5}',
            '{"Records": "line"}',
            '{"Records": {"s3": 1}}',
            '{"Records": [1]}',
            '{"Records": [{}]}',
            '{"Records": [{"s3": {"object": {"key": 5}}}]}',
            '{"Records": [{"s3": {"object": []}}]}',
            '{"a":' * 50_000,
        ],
        ids=lambda body: body[:40],
    )
    def test_a_message_that_cannot_be_read_is_raised_after_the_others_were_served(
        self, world: World, merge: Any, uploaded: Any, body: str
    ) -> None:
        update = world.contribute([1, 0, 0])
        with pytest.raises(Invalid):
            merge(body, uploaded(key_of(update)))
        assert world.now(update).version == 1

    def test_a_run_whose_storage_is_corrupt_is_raised_after_the_others_were_served(
        self, world: World, other: World, merge: Any, uploaded: Any
    ) -> None:
        bad, good = world.contribute([1, 0, 0]), other.contribute([1, 0, 0])
        del world.blobs._blobs[world.head.checkpoint_key]
        with pytest.raises(Corrupt):
            merge(uploaded(key_of(bad), key_of(good)))
        assert other.now(good).version == 1

    def test_out_of_time_it_rings_again_for_what_is_left(
        self, world: World, merge: Any, uploaded: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(MAX_COMMIT):
            world.contribute([0, 0, 0])
        last = world.contribute([1, 0, 0])
        looks = iter([False, True])
        monkeypatch.setattr("webnn.api.events.deadline", lambda _: lambda: next(looks))
        assert merge(uploaded(key_of(last))) == {"runs": 1, "merged": MAX_COMMIT}
        (rung,) = world.rung
        monkeypatch.undo()
        monkeypatch.setattr("webnn.api.events.services", lambda: world.services)
        assert merge(rung.decode()) == {"runs": 1, "merged": 1}
        assert world.now(last).version == MAX_COMMIT + 1


class TestOutOfTimeAmongTheNeverUploaded:
    def test_the_next_goes_on_behind_them_unless_an_upload_rings_too(
        self, world: World, merge: Any, uploaded: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        early = [world.announce([0, 0, 0]) for _ in range(MAX_COMMIT)]
        looks = iter([False, True])
        monkeypatch.setattr("webnn.api.events.deadline", lambda _: lambda: next(looks, True))
        merge(ring("line"))
        (rung,) = world.rung
        assert doorbell.runs_in(rung) == {"line": Ring("line", early[-1].update_id)}

        monkeypatch.setattr("webnn.api.events.deadline", lambda _: lambda: False)
        world.upload(early[0], body_of([0, 0, 0]))
        assert merge(rung.decode()) == {"runs": 1, "merged": 0}
        assert merge(uploaded(key_of(early[0])), rung.decode()) == {"runs": 1, "merged": 1}

    def test_those_who_were_sent_away_meanwhile_are_served_in_the_end(
        self, world: World, merge: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An upload rings while another merger is at the run, and its update lies before where that one ends."""
        early = [world.announce([0, 0, 0]) for _ in range(MAX_COMMIT)]

        def looks() -> Any:
            yield False
            world.upload(early[0], body_of([0, 0, 0]))
            assert world.services.committer.drain("line", never).elsewhere
            while True:
                yield True

        looking = looks()
        monkeypatch.setattr("webnn.api.events.deadline", lambda _: lambda: next(looking))
        merge(ring("line"))
        (rung,) = world.rung
        assert doorbell.runs_in(rung) == {"line": Ring("line", early[-1].update_id, again=True)}
        monkeypatch.setattr("webnn.api.events.deadline", lambda _: lambda: False)
        assert merge(rung.decode()) == {"runs": 1, "merged": 1}


class TestWhateverIsWrongWithOne:
    """The others of a batch are served first."""

    @pytest.mark.parametrize("record", [{}, {"body": None}, {"body": 5}, {"body": "\ud800"}])
    def test_a_record_without_a_text(self, api: Api, world: World, merge: Any, uploaded: Any, record: Any) -> None:
        update = world.contribute([1, 0, 0])
        event = api.client.events.generate_sqs_event([uploaded(key_of(update))], "webnn-local-doorbell")
        event["Records"].insert(0, record)
        with pytest.raises(Invalid):
            api.client.lambda_.invoke("merge", event)
        assert world.now(update).version == 1

    def test_an_error_that_nobody_foresaw(
        self, api: Api, world: World, other: World, merge: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fault(name: str) -> None:
            if name == "pending" and not faults:
                faults.append(name)
                raise ZeroDivisionError

        faults: list[str] = []
        updates = [each.contribute([1, 0, 0]) for each in (world, other)]
        failing = around(world, catalog=Faulty(world.catalog, before=fault))
        monkeypatch.setattr("webnn.api.events.services", lambda: failing.services)
        with pytest.raises(ZeroDivisionError):
            merge(*(ring(name) for name in ("line", "other")))
        assert {world.now(updates[0]).state, other.now(updates[1]).state} == {"pending", "merged"}

    def test_a_stage_that_lacks_a_parameter_acknowledges_nothing(
        self, merge: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lacking() -> Any:
            raise Unavailable("stage 'local' lacks token-secret")

        monkeypatch.setattr("webnn.api.events.services", lacking)
        with pytest.raises(Unavailable):
            merge(ring("line"))


class TestSweep:
    @pytest.fixture
    def sweep(self, api: Api) -> Callable[[], Any]:
        """Calls the sweep as the schedule does."""

        def call() -> Any:
            event = api.client.events.generate_cw_event("aws.events", "Scheduled Event", {}, ["arn:rule"])
            return api.client.lambda_.invoke("sweep", event).payload

        return call

    def test_what_no_message_told_of_is_merged(self, world: World, sweep: Any) -> None:
        world.start()
        update = world.contribute([1, 0, 0])
        assert sweep() == {"runs": 1, "merged": 1}
        assert world.now(update).version == 1

    def test_what_was_never_uploaded_expires(self, world: World, sweep: Any, caplog: pytest.LogCaptureFixture) -> None:
        world.start()
        update = world.announce([1, 0, 0])
        world.clock.now += 900_000 + GRACE_MILLISECONDS + 1
        with caplog.at_level(logging.INFO, "webnn.events"):
            assert sweep() == {"runs": 1, "merged": 0}
        assert world.now(update).reason == "never uploaded"
        assert "refused=1" in caplog.text

    def test_a_run_that_fails_is_raised_after_the_others_were_swept(
        self, world: World, other: World, sweep: Any
    ) -> None:
        for each in (world, other):
            each.contribute([1, 0, 0])
        del world.blobs._blobs[world.head.checkpoint_key]
        with pytest.raises(Corrupt):
            sweep()
        assert other.head.version == 1


class Marked:
    """What a function had in its hands when it failed."""


def test_failures_that_are_kept_while_others_are_served_hold_nothing(world: World, other: World) -> None:
    """They held whole models: a batch of some runs that failed was killed for its memory."""
    held: list[weakref.ref[Marked]] = []

    def fail(name: str) -> None:
        if name == "pending":
            model = Marked()
            held.append(weakref.ref(model))
            raise Unavailable("no answer") from ValueError(name)

    failing = around(world, catalog=Faulty(world.catalog, before=fail)).services
    answered = failing.answerer.answer([ring("line"), ring("other")], never)
    swept = failing.sweeper.sweep(never)
    assert {name for name, _ in answered.failures} == {one.run for one in swept if one.error} == {"line", "other"}
    assert [reference() for reference in held] == [None] * 4


def test_of_a_batch_that_time_is_not_enough_for_another_run_is_first_each_time(world: World, other: World) -> None:
    """Both are rung for again together; the one with work without end must not be the first for ever."""
    waiting = other.contribute([1, 0, 0])
    for _ in range(20):
        world.contribute([0, 0, 0])
        looks = iter([False])
        world.services.answerer.answer([ring("line"), ring("other")], lambda looks=looks: next(looks, True))
        world.clock.now += 40_000
    assert other.now(waiting).version == 1
