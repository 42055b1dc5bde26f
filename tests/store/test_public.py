"""What every `PublicObjects` promises."""

import gzip
import json
from unittest.mock import ANY

import pytest
import requests
from stages import NETWORKED, Stage

from webnn.errors import Conflict
from webnn.store.public import PublicObject, PublicObjects, live_key, page_key, pages_prefix
from webnn.store.s3_public import S3PublicObjects


@pytest.fixture
def public(stage: Stage) -> PublicObjects:
    return stage.public


@pytest.fixture
def key(run_name: str) -> str:
    return live_key(run_name)


def test_nothing_is_where_nobody_wrote(public: PublicObjects, key: str) -> None:
    assert public.read(key) is None


def test_what_was_written_is_read_and_replaced_from_exactly_what_was_read(public: PublicObjects, key: str) -> None:
    public.replace(key, b"first", None)
    first = public.read(key)
    assert first is not None
    public.replace(key, b"second", first.tag)
    second = public.read(key)
    assert second is not None
    assert (first.body, second.body) == (b"first", b"second")
    assert first.tag != second.tag


def test_who_read_something_else_is_refused_and_changes_nothing(public: PublicObjects, key: str) -> None:
    public.replace(key, b"first", None)
    first = public.read(key)
    assert first is not None
    public.replace(key, b"second", first.tag)
    for tag in (first.tag, None):
        with pytest.raises(Conflict):
            public.replace(key, b"late", tag)
    found = public.read(key)
    assert found is not None
    assert found.body == b"second"


def test_what_is_gone_is_not_replaced(public: PublicObjects, key: str, run_name: str) -> None:
    public.replace(key, b"first", None)
    first = public.read(key)
    assert first is not None
    public.delete(key, pages_prefix(run_name))
    with pytest.raises(Conflict):
        public.replace(key, b"late", first.tag)
    assert public.read(key) is None


def test_deleting_takes_the_pages_too_and_nothing_of_a_run_whose_name_begins_alike(
    public: PublicObjects, key: str, run_name: str
) -> None:
    page, alike = page_key(run_name, 1, "commits", 32, 0), page_key(run_name + "x", 1, "commits", 32, 0)
    public.replace(key, b"first", None)
    for one in (page, alike):
        public.keep(one, b"page")
    for _ in range(2):
        public.delete(key, pages_prefix(run_name))
    assert (public.read(key), public.read(page)) == (None, None)
    assert public.read(alike) is not None


@pytest.mark.parametrize("stage", NETWORKED, indirect=True)
@pytest.mark.parametrize("damage", [b"", b"{}", b"cut off", b"altered"])
def test_what_is_damaged_is_read_as_nothing_and_can_be_replaced(
    public: S3PublicObjects, key: str, damage: bytes
) -> None:
    whole = gzip.compress(b"what somebody wrote", mtime=0)
    body = {b"cut off": whole[:-9], b"altered": whole[:12] + b"\xff\xff\xff" + whole[15:]}.get(damage, damage)
    public._s3.put_object(Bucket=public._bucket, Key=key, Body=body)
    found = public.read(key)
    assert found is not None
    assert found.body == b""
    public.replace(key, b"begun anew", found.tag)
    assert public.read(key) == PublicObject(b"begun anew", ANY)


@pytest.mark.parametrize("stage", NETWORKED, indirect=True)
def test_anybody_reads_it_compressed_and_only_if_it_has_changed(public: PublicObjects, key: str, run_name: str) -> None:
    page = page_key(run_name, 1, "commits", 32, 0)
    public.replace(key, json.dumps({"version": 7}).encode(), None)
    public.keep(page, b"[]")
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(public.address(key), headers={"Origin": "https://example.org"}, timeout=10)
        assert (answer.status_code, answer.json()) == (200, {"version": 7})
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Cache-Control"] == "public, max-age=2"
        assert "etag" in answer.headers["Access-Control-Expose-Headers"].lower()
        again = session.get(public.address(key), headers={"If-None-Match": answer.headers["ETag"]}, timeout=10)
        assert (again.status_code, again.content) == (304, b"")
        assert "immutable" in session.get(public.address(page), timeout=10).headers["Cache-Control"]
