"""Python programs take part over the HTTP API alone, on a whole stage, beside others and amid faults."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from threading import Thread
from typing import Any

import numpy as np
import pytest
import requests

import webnn
from webnn import wiring
from webnn.contributing.encoding import encoded
from webnn.contributing.faults import Unfit
from webnn.contributing.http import Call, Http, Retry
from webnn.contributing.time import Time
from webnn.core.records import LedgerEntry, Status
from webnn.core.tensors import TensorSpec
from webnn.core.wire import decode_vector
from webnn.cutting import of_dataset
from webnn.datasets import Dataset
from webnn.errors import Invalid, Missing, Unavailable
from webnn.local.processes import child
from webnn.local.stage import CHECKOUT, WEB, LocalStage
from webnn.local.volunteers import _environment
from webnn.publish import publish

Event = dict[str, Any]
EVENTS = ("joined", "task", "step", "uploaded", "stopped")
_numbers = count()


class Hasty(Time):
    """Its waits take a hundredth; it knows how long they would have been."""

    def __init__(self) -> None:
        super().__init__(wiring.elapsed, lambda: 0.5)
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        super().sleep(seconds / 100)


def a_run(stage: LocalStage, dataset: Dataset, **members: Any) -> str:
    """A run of the digits that does not end by itself, and takes no data of a client's own."""
    name = f"python-{next(_numbers)}"
    document = json.loads((CHECKOUT / "examples" / "digits" / "spec.json").read_text())
    document |= {"end": {}} | {key: value for key, value in members.items() if key != "own"}
    document["training"] |= members.get("training", {})
    document["data"] |= {"own": members.get("own", "never")}
    publish(stage.services.runs, name, document, of_dataset(document, dataset), np.random.default_rng(7))
    return name


def settled(stage: LocalStage, run: str, sent: int) -> list[LedgerEntry]:
    """Its ledger, when so many updates are merged. What was announced in vain, its answer being lost, stays pending."""
    for _ in wiring.paced(30.0, 0.1):
        entries = stage.services.catalog.ledger(run, 0, 200)
        if len(senders(entries)) >= sent:
            return entries
    raise AssertionError(f"{len(senders(entries))} of {sent} updates are merged")


def senders(entries: list[LedgerEntry]) -> list[str]:
    return [line.client_id for entry in entries for line in entry.updates]


@pytest.mark.parametrize("run", [0.9], indirect=True)
def test_python_clients_alone_train_the_digits(stage: LocalStage, run: str) -> None:
    clients = [webnn.Client(f"{stage.page}?run={run}") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(webnn.Client.contribute, clients))
    head, newest = stage.services.catalog.head(run), stage.services.catalog.latest_evaluation(run)
    assert head.status is Status.FINISHED
    assert newest is not None
    assert newest.accuracy >= 0.9
    assert newest.examples == 360
    assert [one.finished for one in done] == [True, True]
    assert len(set(senders(stage.services.catalog.ledger(run, 0, 200)))) == 2
    assert 0 < sum(one.merged for one in done) <= sum(one.updates for one in done)


def test_a_python_client_trains_beside_one_in_node(stage: LocalStage, dataset: Dataset) -> None:
    node = shutil.which("node")
    assert node is not None
    run = a_run(stage, dataset)
    command = [node, str(WEB / "node-client.mjs"), "--api", stage.api, "--run", run]
    with child("a client in Node", command, _environment(str(WEB)), WEB):
        for _ in wiring.paced(60.0, 0.1):
            if senders(stage.services.catalog.ledger(run, 0, 200)):
                break
        events = list(webnn.Client(stage.api, run).events(until={"updates": 12}))
    assert [event["type"] for event in events if event["type"] in EVENTS][:3] == ["joined", "task", "step"]
    mine = next(event["client_id"] for event in events if event["type"] == "joined")
    entries = ours(stage, run, mine, 12)
    assert senders(entries).count(mine) == sum(event["type"] == "uploaded" for event in events) == 12
    assert len(set(senders(entries))) == 2
    told = {event["version"] for event in events if event["type"] == "settled"}
    assert told <= {entry.version for entry in entries} | {
        v for entry in entries for v in range(entry.from_version + 1, entry.version + 1)
    }


def ours(stage: LocalStage, run: str, client: str, sent: int) -> list[LedgerEntry]:
    """The ledger, when so many updates of this client are merged."""
    for _ in wiring.paced(30.0, 0.1):
        entries = stage.services.catalog.ledger(run, 0, 200)
        if senders(entries).count(client) >= sent:
            break
    return entries


FAULTS = ("request lost", "answer lost", "busy", "cut short")


@contextmanager
def faults(kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every third request of a client comes to grief, whatever it is; gives the addresses of those."""
    real, struck, asked = Http._once, list[str](), count(1)

    def once(http: Http, call: Call, read: Callable[[requests.Response], Any]) -> Any:
        if next(asked) % 3:
            return real(http, call, read)
        struck.append(call.url.partition("?")[0])
        lost = Retry(Unavailable("the server does not answer"))
        if kind == "request lost":
            raise lost
        answer: list[requests.Response] = []
        real(http, call, answer.append)
        if kind == "answer lost":
            raise lost
        if kind == "busy":
            answer[0].status_code = 503
        else:
            answer[0]._content = answer[0].content[:-1]
        return read(answer[0])

    with monkeypatch.context() as patch:
        patch.setattr(Http, "_once", once)
        yield struck


@pytest.mark.parametrize("kind", FAULTS)
def test_every_update_counts_once_whatever_goes_wrong_on_the_way(
    kind: str, stage: LocalStage, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(stage, dataset)
    told: list[Event] = []
    with faults(kind, monkeypatch) as struck:
        done = webnn.Client(stage.api, run, time=Hasty()).contribute(until={"updates": 8}, on_event=told.append)
    sent = [event["update_id"] for event in told if event["type"] == "uploaded"]
    entries = settled(stage, run, 8)
    merged = [line.update_id for entry in entries for line in entry.updates]
    assert done.updates == len(set(sent)) == 8
    assert sorted(merged) == sorted(sent)  # each once, and no other: none was sent anew under another ticket
    assert len({address.rpartition("/")[2] for address in struck} - {""}) > 2  # they fell on several kinds of request


def test_a_forgotten_token_is_renewed_and_the_work_in_hand_is_sent(stage: LocalStage, dataset: Dataset) -> None:
    client = webnn.Client(stage.api, a_run(stage, dataset), time=Hasty())
    told: list[Event] = []

    def spoilt(event: Event) -> None:
        told.append(event)
        if event["type"] == "step" and len(joined()) == 1:
            client._cycle.token = "forged"

    def joined() -> list[Event]:
        return [event for event in told if event["type"] == "joined"]

    done = client.contribute(until={"updates": 3}, on_event=spoilt)
    assert len(joined()) == 2
    assert done.updates == 3
    assert not [event for event in told if event["type"] == "error"]  # the world has only moved on


def test_a_server_that_is_away_is_waited_for_with_growing_pauses(
    stage: LocalStage, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    time, real, left = Hasty(), Http._once, iter(range(30))

    def once(http: Http, call: Call, read: Callable[[requests.Response], Any]) -> Any:
        if next(left, None) is not None:
            raise Retry(Unavailable("the server does not answer"))
        return real(http, call, read)

    monkeypatch.setattr(Http, "_once", once)
    done = webnn.Client(stage.api, a_run(stage, dataset), time=time).contribute(until={"updates": 1})
    assert done.updates == 1
    pauses = [pause for pause in time.slept if pause > 0.5]
    assert max(pauses) > 20 * min(pauses)


@pytest.mark.parametrize("encoding", ["float16", "uint8", "uint16"])
def test_updates_are_sent_in_the_encoding_that_the_run_asks_for(
    encoding: Any, stage: LocalStage, dataset: Dataset
) -> None:
    run = a_run(stage, dataset, training={"encoding": encoding})
    done = webnn.Client(stage.api, run).contribute(until={"updates": 2})
    assert done.updates == len(senders(settled(stage, run, 2)))  # none was rejected
    specs = (TensorSpec("a", (2, 50), "float32"), TensorSpec("b", (7,), "float32"))
    delta = np.random.default_rng(1).normal(0, 0.01, 107).astype(np.float32)
    delta[3] = 0.0
    found = encoded(specs, delta, encoding)
    back = decode_vector(specs, found.body, encoding, found.quantization)
    step = {"float16": 2e-5, "uint8": 0.08 / 255, "uint16": 0.08 / 65535}[encoding]
    assert np.abs(back - delta).max() <= step
    assert back[3] == 0.0


def test_it_pauses_goes_on_and_leaves_when_it_is_told_to(stage: LocalStage, dataset: Dataset) -> None:
    client = webnn.Client(stage.api, a_run(stage, dataset))
    seen: list[str] = []
    with closing(client.events(power=50)) as events:
        for event in events:
            seen.append(event["type"])
            if event["type"] == "uploaded" and "paused" not in seen:
                client.pause()
            if event["type"] == "paused":
                Thread(target=client.resume).start()
            if event["type"] == "uploaded" and "resumed" in seen:
                client.stop()
    assert seen.index("paused") < seen.index("resumed")
    assert seen[-1] == "stopped"
    assert "error" not in seen


def test_peers_in_python_meet(stage: LocalStage, dataset: Dataset) -> None:
    run = a_run(stage, dataset, merge={"where": "peer", "rule": {"name": "average"}})
    told: list[Event] = []
    clients = [webnn.Client(stage.api, run) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: one.contribute(until={"updates": 6}, on_event=told.append), clients))
    assert [event for event in told if event["type"] == "met"]
    assert {line.base_version for entry in settled(stage, run, 12) for line in entry.updates} == {0}


def test_data_of_ones_own_are_trained_on_and_stay_here(stage: LocalStage, dataset: Dataset) -> None:
    run = a_run(stage, dataset, own="may")
    own = dataset.validation.inputs[:50] / 16, dataset.validation.targets[:50]
    client = webnn.Client(stage.api, run, data=own)
    assert client.contribute(until={"updates": 2}).updates == 2
    kinds = [name for name in client._cycle._blobs if name in {s.sha256 for s in spec_of(stage, run).data.train}]
    assert kinds == []  # no shard was asked for
    with pytest.raises(Unfit, match="do not fit the run"):
        webnn.Client(stage.api, run, data=(own[0][:, :3], own[1])).contribute()
    with pytest.raises(Unfit, match="takes no data of your own"):
        webnn.Client(stage.api, a_run(stage, dataset), data=own).contribute()


def spec_of(stage: LocalStage, run: str) -> Any:
    return stage.services.runs.describe(run).spec


def test_it_gives_up_where_nothing_can_help(stage: LocalStage) -> None:
    with pytest.raises(Missing, match="nowhere"):
        webnn.Client(stage.api, "nowhere").contribute()
    with pytest.raises(Invalid, match="names no run"):
        webnn.Client(stage.page)
    with pytest.raises(Invalid, match="until has no 'hours'"):
        webnn.Client(stage.api, "nowhere").contribute(until={"hours": 1})


def test_the_command_takes_part_by_the_link(stage: LocalStage, dataset: Dataset) -> None:
    run = a_run(stage, dataset)
    command = [sys.executable, "-c", "from webnn.cli.main import main; main()", "contribute", f"{stage.page}?run={run}"]
    shown = subprocess.run([*command, "--updates", "2", "--json"], capture_output=True, text=True, check=True)
    *events, last = map(json.loads, shown.stdout.splitlines())
    assert {"joined", "uploaded", "stopped"} <= {event["type"] for event in events}
    assert (last["type"], last["run"], last["updates"], last["reason"]) == ("sum", run, 2, "2 updates, as was wished")
