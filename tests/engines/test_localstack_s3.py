"""What the code takes for granted of S3, on LocalStack: tickets, links, CORS, conditions."""

import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from localstack.clients import Clients

pytestmark = pytest.mark.localstack

BODY = b"just these bytes"
ORIGIN = "https://volunteer.example"
RULE = {
    "AllowedOrigins": ["*"],
    "AllowedMethods": ["GET", "HEAD", "POST"],
    "AllowedHeaders": ["*"],
    "ExposeHeaders": ["ETag"],
    "MaxAgeSeconds": 3600,
}


@pytest.fixture(scope="module")
def s3(localstack_clients: Clients) -> Any:
    return localstack_clients("s3")


@pytest.fixture(scope="module")
def bucket(s3: Any) -> str:
    s3.create_bucket(Bucket="localstack-facts")
    s3.put_bucket_cors(Bucket="localstack-facts", CORSConfiguration={"CORSRules": [RULE]})
    return "localstack-facts"


def digest(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def ticket(s3: Any, bucket: str, key: str, lasts: int = 60, **more: str) -> dict[str, Any]:
    """For exactly BODY under exactly this key."""
    fields = {"success_action_status": "201", "x-amz-checksum-sha256": digest(BODY), **more}
    conditions = [*({name: value} for name, value in fields.items()), ["content-length-range", len(BODY), len(BODY)]]
    return s3.generate_presigned_post(bucket, key, Fields=dict(fields), Conditions=conditions, ExpiresIn=lasts)


def upload(post: dict[str, Any], body: bytes = BODY, **changed: str) -> requests.Response:
    fields = {**post["fields"], **changed}
    return requests.post(post["url"], data=fields, files={"file": body}, headers={"Origin": ORIGIN}, timeout=10)


def code(answer: requests.Response) -> str:
    return answer.text.partition("<Code>")[2].partition("</Code>")[0]


def absent(s3: Any, bucket: str, key: str) -> bool:
    return bool(s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"] == 0)


def link(s3: Any, bucket: str, key: str, lasts: int = 60) -> str:
    return str(s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=lasts))


def preflight(url: str, method: str) -> requests.Response:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "range"}
    return requests.options(url, headers=asked, timeout=10)


def test_a_ticket_takes_the_announced_bytes(s3: Any, bucket: str) -> None:
    assert upload(ticket(s3, bucket, "updates/a.bin")).status_code == 201
    assert s3.get_object(Bucket=bucket, Key="updates/a.bin")["Body"].read() == BODY


@pytest.mark.parametrize(
    ("body", "refusal"), [(BODY + b"!", "EntityTooLarge"), (BODY[:-1], "EntityTooSmall"), (b"", "EntityTooSmall")]
)
def test_a_ticket_holds_to_the_length(s3: Any, bucket: str, body: bytes, refusal: str) -> None:
    answer = upload(ticket(s3, bucket, "updates/length.bin"), body)
    assert (answer.status_code, code(answer)) == (400, refusal)
    assert absent(s3, bucket, "updates/length.bin")


@pytest.mark.parametrize(
    "changed",
    [{"key": "checkpoints/run/000000000001-x.bin"}, {"x-amz-checksum-sha256": digest(b"other")}],
    ids=["another key", "another digest"],
)
def test_a_ticket_binds_its_fields(s3: Any, bucket: str, changed: dict[str, str]) -> None:
    answer = upload(ticket(s3, bucket, "updates/bound.bin"), **changed)
    assert (answer.status_code, code(answer)) == (403, "AccessDenied")
    assert absent(s3, bucket, changed.get("key", "updates/bound.bin"))


def test_a_ticket_ends(s3: Any, bucket: str) -> None:
    post = ticket(s3, bucket, "updates/late.bin", lasts=1)
    Event().wait(1.5)
    assert upload(post).status_code == 403
    assert absent(s3, bucket, "updates/late.bin")


def test_a_ticket_that_names_the_algorithm_refuses_other_bytes_of_the_same_length(s3: Any, bucket: str) -> None:
    named = {"x-amz-checksum-algorithm": "SHA256"}
    assert upload(ticket(s3, bucket, "updates/named.bin", **named)).status_code == 201
    answer = upload(ticket(s3, bucket, "updates/other.bin", **named), BODY[::-1])
    assert answer.status_code == 400
    assert absent(s3, bucket, "updates/other.bin")


@pytest.mark.xfail(reason="LocalStack 4.9.2 hashes a form's file only if a field names the algorithm; AWS always does.")
def test_a_ticket_refuses_other_bytes_of_the_same_length(s3: Any, bucket: str) -> None:
    answer = upload(ticket(s3, bucket, "updates/digest.bin"), BODY[::-1])
    assert answer.status_code == 400


@pytest.mark.xfail(reason="LocalStack 4.9.2 checks neither a form's signature nor that the policy names each field.")
@pytest.mark.parametrize(
    "changed",
    [
        {"x-amz-signature": "0" * 64},
        {"policy": base64.b64encode(json.dumps({"expiration": "2999-01-01T00:00:00Z"}).encode()).decode()},
        {"acl": "public-read"},
    ],
    ids=["a forged signature", "a policy of one's own", "a field more"],
)
def test_a_ticket_is_only_what_was_signed(s3: Any, bucket: str, changed: dict[str, str]) -> None:
    assert upload(ticket(s3, bucket, "updates/forged.bin"), **changed).status_code == 403


def test_a_link_gives_the_blob_and_tells_pages_its_etag(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="shards/b.bin", Body=BODY)
    answer = requests.get(link(s3, bucket, "shards/b.bin"), headers={"Origin": ORIGIN}, timeout=10)
    assert answer.content == BODY
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Expose-Headers"] == "ETag"
    assert answer.headers["ETag"] == f'"{hashlib.md5(BODY).hexdigest()}"'


def test_a_link_gives_a_part_of_the_blob(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="shards/b.bin", Body=BODY)
    answer = requests.get(link(s3, bucket, "shards/b.bin"), headers={"Range": "bytes=5-9"}, timeout=10)
    assert (answer.status_code, answer.content) == (206, b"these")


def test_a_link_opens_nothing_else(s3: Any, bucket: str) -> None:
    for key in ("shards/b.bin", "shards/c.bin"):
        s3.put_object(Bucket=bucket, Key=key, Body=BODY)
    url = link(s3, bucket, "shards/b.bin")
    assert requests.get(url.replace("b.bin", "c.bin"), timeout=10).status_code == 403
    assert requests.get(url.replace("Expires=60", "Expires=600"), timeout=10).status_code == 403
    assert requests.put(url, data=b"x", timeout=10).status_code == 403


@pytest.mark.xfail(reason="LocalStack 4.9.2 gives private objects to unsigned requests.")
def test_nobody_reads_a_private_blob_without_a_link(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="shards/b.bin", Body=BODY)
    assert requests.get(link(s3, bucket, "shards/b.bin").partition("?")[0], timeout=10).status_code == 403


def test_a_link_ends(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="shards/b.bin", Body=BODY)
    url = link(s3, bucket, "shards/b.bin", lasts=1)
    Event().wait(1.5)
    assert requests.get(url, timeout=10).status_code == 403


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_browser_may_ask_for_leave(s3: Any, bucket: str, method: str) -> None:
    answer = preflight(f"{s3.meta.endpoint_url}/{bucket}/updates/a.bin", method)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert method in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "range"


def test_it_gets_none_for_what_the_rules_do_not_name(s3: Any, bucket: str) -> None:
    answer = preflight(f"{s3.meta.endpoint_url}/{bucket}/updates/a.bin", "DELETE")
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_page_may_read_the_answer_to_its_upload(s3: Any, bucket: str) -> None:
    taken = upload(ticket(s3, bucket, "updates/a.bin"))
    refused = upload(ticket(s3, bucket, "updates/a.bin"), b"short")
    assert taken.headers["Access-Control-Allow-Origin"] == "*"
    assert refused.headers["Access-Control-Allow-Origin"] == "*"


def test_a_taken_key_stays_as_it_is(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="checkpoints/one", Body=b"first", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=bucket, Key="checkpoints/one", Body=b"second", IfNoneMatch="*")
    assert s3.get_object(Bucket=bucket, Key="checkpoints/one")["Body"].read() == b"first"


def test_of_those_who_race_for_a_key_one_wins(s3: Any, bucket: str) -> None:
    def claim(n: int) -> str:
        try:
            s3.put_object(Bucket=bucket, Key="checkpoints/raced", Body=b"%d" % n, IfNoneMatch="*")
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return f"won {n}"

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(claim, range(16)))
    (won,) = (outcome for outcome in outcomes if outcome.startswith("won"))
    assert set(outcomes) - {won} <= {"PreconditionFailed", "ConditionalRequestConflict"}
    assert s3.get_object(Bucket=bucket, Key="checkpoints/raced")["Body"].read().decode() == won.removeprefix("won ")
