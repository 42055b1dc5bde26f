"""Records as the JSON that `docs/openapi.yaml` describes."""

from typing import Any

from webnn.clients import Evaluate, Stop, Task, Train, Wait
from webnn.core.records import Evaluation, Failure, Head, LedgerEntry, Run, Update, Without
from webnn.core.spec import Data, Shard
from webnn.core.tensors import TensorSpec
from webnn.core.terms import Training
from webnn.runs import Description, History
from webnn.store import keys
from webnn.store.ports import Blobs
from webnn.tokens import LIFETIME_SECONDS, Member
from webnn.updates import Opened

URL_SECONDS = 3600

Json = dict[str, Any]


def head(found: Head) -> Json:
    """`Head`."""
    return {
        "version": found.version,
        "steps": found.steps,
        "generation": found.generation,
        "sha256": found.sha256,
    }


def evaluation(found: Evaluation) -> Json:
    """`Evaluation`."""
    return {
        "version": found.version,
        "loss": found.loss,
        "accuracy": found.accuracy,
        "examples": found.examples,
        "at": found.at,
    }


def failure(found: Failure) -> Json:
    """`Failure`."""
    return {
        "code": found.code,
        "message": found.message,
        "detail": found.detail,
        "backend": found.backend,
        "version": found.version,
        "at": found.at,
    }


def training(found: Training, version: int) -> Json:
    """`Training`, with the learning rate as it is at a version of the head."""
    return {
        "optimizer": found.optimizer,
        "learning_rate": found.rate_at(version),
        "loss": found.loss,
        "local_steps": found.local_steps,
        "batch_size": found.batch_size,
        "encoding": found.encoding,
    }


def description(found: Description, live: str | None = None) -> Json:
    """`Run`; `live` is where its live object is."""
    spec = found.spec
    return {
        "run": found.run.run,
        "title": found.run.title,
        "description": found.run.description,
        "created_at": found.run.created_at,
        "status": str(found.head.status),
        "head": head(found.head),
        "metrics": evaluation(found.metrics) if found.metrics else None,
        "clients": found.clients,
        "live": live,
        "training": training(spec.training, found.head.version),
        "merge": {"where": spec.merge.where, "rule": spec.merge.name},
        "end": {"accuracy": spec.end.accuracy, "versions": spec.end.versions, "seconds": spec.end.seconds},
        "data": _data(spec.data),
    }


def _data(found: Data) -> Json:
    return {
        "train_examples": found.train_examples,
        "validation_examples": found.validation_examples,
        "inputs": [_tensor(spec) for spec in found.inputs],
        "targets": [_tensor(spec) for spec in found.targets],
        "labels": found.labels,
        "own": found.own,
    }


def _tensor(found: TensorSpec) -> Json:
    """`TensorSpec`."""
    members: Json = {"name": found.name, "shape": found.shape, "dtype": found.dtype}
    packing = found.quantization
    if packing is None:
        return members
    if packing.dtype == "float16":
        return members | {"quantization": {"dtype": packing.dtype}}
    return members | {"quantization": {"dtype": packing.dtype, "min": packing.min, "scale": packing.scale}}


def model(run: Run, found: Head, blobs: Blobs) -> Json:
    """`Model`, with URLs that are good for `URL_SECONDS`."""
    return {
        "version": found.version,
        "generation": found.generation,
        "model": _model(run, blobs),
        "checkpoint": _checkpoint(found, blobs),
        "expires_in": URL_SECONDS,
    }


def history(name: str, found: History) -> Json:
    """`History`."""
    return {
        "run": name,
        "status": str(found.head.status),
        "head": head(found.head),
        "clients": found.clients,
        "commits": [commit(entry) for entry in found.commits],
        "evaluations": [evaluation(one) for one in found.evaluations],
        "next_after": found.next_after,
    }


def commit(entry: LedgerEntry) -> Json:
    """One of `History.commits`."""
    return {
        "version": entry.version,
        "from_version": entry.from_version,
        "generation": entry.generation,
        "at": entry.at,
        "steps": entry.steps,
        "clients": len({line.client_id for line in entry.updates}),
        "examples": entry.examples,
        "bytes": entry.update_bytes,
        "checkpoint_bytes": entry.bytes,
        "staleness": [line.staleness for line in entry.updates],
        "discounts": [line.discount for line in entry.updates],
        "restores": entry.restores,
        "left_out": _left_out(entry.without) if entry.without else None,
        "note": entry.note,
    }


def _left_out(without: Without) -> Json:
    """How much an unmerge was told to leave out. Not whose, for that is nobody's business."""
    return {"clients": len(without.clients), "updates": len(without.updates)}


def membership(member: Member, token: str) -> Json:
    """`Membership`."""
    return {"client_id": member.client_id, "token": token, "expires_in": LIFETIME_SECONDS}


def ticket(opened: Opened) -> Json:
    """`Ticket`."""
    return {
        "update_id": opened.update_id,
        "upload": {"url": opened.ticket.url, "fields": opened.ticket.fields},
        "expires_in": opened.expires_in,
    }


def update(found: Update) -> Json:
    """`Update`."""
    return {
        "update_id": found.update_id,
        "state": str(found.state),
        "reason": found.reason,
        "base_version": found.base_version,
        "version": found.version,
        "staleness": found.staleness,
        "discount": found.discount,
    }


def task(found: Task, blobs: Blobs) -> Json:
    """`Task`, with URLs that are good for `URL_SECONDS`."""
    match found:
        case Train():
            return _train(found, blobs)
        case Evaluate():
            return _evaluate(found, blobs)
        case Wait():
            return {"kind": "wait", "seconds": found.seconds, "reason": found.reason}
        case Stop():
            return {"kind": "stop", "reason": found.reason}


def _train(found: Train, blobs: Blobs) -> Json:
    return {
        "kind": "train",
        "version": found.head.version,
        "generation": found.head.generation,
        "model": _model(found.run, blobs),
        "checkpoint": _checkpoint(found.head, blobs),
        "shard": _shard(found.shard, blobs) if found.shard else None,
        "offset": found.offset,
        "seed": found.seed,
        "training": training(found.spec.training, found.head.version),
        "peer": _peer(found, blobs),
        "validation": _shard(found.validation, blobs) if found.validation else None,
        "expires_in": URL_SECONDS,
    }


def _peer(found: Train, blobs: Blobs) -> Json | None:
    """`PeerTraining`."""
    genesis = found.genesis
    if genesis is None:
        return None
    return {
        "rule": found.spec.merge.name,
        "genesis": _blob(blobs, genesis.checkpoint_key, genesis.sha256, genesis.bytes),
        "steps": found.head.steps,
    }


def exchanged(found: Update | None, blobs: Blobs) -> Json:
    """`Exchanged`."""
    if found is None:
        return {"peer": None}
    return {
        "peer": {
            "update_id": found.update_id,
            "local_steps": found.local_steps,
            "examples": found.examples,
            "accuracy": found.accuracy,
            "encoding": found.encoding,
            "quantization": [{"min": one.min, "scale": one.scale} for one in found.quantization],
            "body": _blob(blobs, keys.update(found.run, found.update_id), found.sha256, found.bytes),
        }
    }


def _evaluate(found: Evaluate, blobs: Blobs) -> Json:
    return {
        "kind": "evaluate",
        "evaluation_id": found.lease.evaluation_id,
        "version": found.head.version,
        "generation": found.head.generation,
        "model": _model(found.run, blobs),
        "checkpoint": _checkpoint(found.head, blobs),
        "shards": [_shard(shard, blobs) for shard in found.spec.data.validation],
        "batch_size": found.spec.validation.batch_size,
        "loss": found.spec.training.loss,
        "expires_in": found.seconds,
    }


def _model(run: Run, blobs: Blobs) -> Json:
    return _blob(blobs, run.spec_key, run.spec_sha256, run.spec_bytes)


def _checkpoint(found: Head, blobs: Blobs) -> Json:
    return _blob(blobs, found.checkpoint_key, found.sha256, found.bytes)


def _shard(shard: Shard, blobs: Blobs) -> Json:
    return {**_blob(blobs, keys.shard(shard.sha256), shard.sha256, shard.bytes), "examples": shard.examples}


def _blob(blobs: Blobs, key: str, sha256: str, size: int) -> Json:
    return {"url": blobs.download_url(key, URL_SECONDS), "sha256": sha256, "bytes": size}
