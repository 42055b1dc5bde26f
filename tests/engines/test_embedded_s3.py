"""What the code takes for granted of S3, on the embedded engine: tickets, links, CORS, events."""

import base64
import hashlib
import json
from threading import Event
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

BODY = b"just these bytes"
ORIGIN = "https://volunteer.example"
CORS = {
    "CORSRules": [
        {
            "AllowedOrigins": ["*"],
            "AllowedMethods": ["GET", "HEAD", "POST"],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 3600,
        }
    ]
}


@pytest.fixture(scope="module")
def s3(aws: Any) -> Any:
    return aws("s3")


@pytest.fixture(scope="module")
def bucket(s3: Any) -> str:
    s3.create_bucket(Bucket="facts")
    s3.put_bucket_cors(Bucket="facts", CORSConfiguration=CORS)
    return "facts"


def ticket(s3: Any, bucket: str, key: str = "updates/a.bin", body: bytes = BODY, lasts: int = 60) -> dict[str, Any]:
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    fields = {"success_action_status": "201", "x-amz-checksum-sha256": digest}
    conditions = [*({name: value} for name, value in fields.items()), ["content-length-range", len(body), len(body)]]
    return s3.generate_presigned_post(bucket, key, Fields=dict(fields), Conditions=conditions, ExpiresIn=lasts)


def upload(post: dict[str, Any], body: bytes = BODY, **changed: str) -> requests.Response:
    fields = {**post["fields"], **changed}
    return requests.post(post["url"], data=fields, files={"file": body}, headers={"Origin": ORIGIN}, timeout=10)


def code(answer: requests.Response) -> str:
    return answer.text.partition("<Code>")[2].partition("</Code>")[0]


def test_a_ticket_takes_the_announced_bytes(s3: Any, bucket: str) -> None:
    assert upload(ticket(s3, bucket)).status_code == 201
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
    [
        {"key": "checkpoints/run/000000000001-x.bin"},
        {"x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(b"other").digest()).decode()},
        {"x-amz-signature": "0" * 64},
        {"acl": "public-read"},
        {
            "policy": base64.b64encode(
                json.dumps({"expiration": "2999-01-01T00:00:00Z", "conditions": []}).encode()
            ).decode()
        },
    ],
    ids=["another key", "another digest", "no signature", "a field more", "a policy of one's own"],
)
def test_a_ticket_binds_every_field(s3: Any, bucket: str, changed: dict[str, str]) -> None:
    answer = upload(ticket(s3, bucket, "updates/bound.bin"), **changed)
    assert answer.status_code == 403
    assert absent(s3, bucket, changed.get("key", "updates/bound.bin"))


def test_a_ticket_ends(s3: Any, bucket: str) -> None:
    post = ticket(s3, bucket, "updates/late.bin", lasts=1)
    Event().wait(1.5)
    assert upload(post).status_code == 403
    assert absent(s3, bucket, "updates/late.bin")


@pytest.mark.xfail(
    reason="MiniStack 1.5.33 does not hash a form's file; AWS answers BadDigest. The merge checks again."
)
def test_a_ticket_refuses_other_bytes_of_the_same_length(s3: Any, bucket: str) -> None:
    answer = upload(ticket(s3, bucket, "updates/digest.bin"), BODY[::-1])
    assert (answer.status_code, code(answer)) == (400, "BadDigest")


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
    assert requests.get(url.partition("?")[0], timeout=10).status_code == 403
    assert requests.put(url, data=b"x", timeout=10).status_code == 403


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
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST"
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type"
    assert answer.headers["Access-Control-Max-Age"] == "3600"


def test_it_gets_none_for_what_the_rules_do_not_name(s3: Any, bucket: str) -> None:
    answer = preflight(f"{s3.meta.endpoint_url}/{bucket}/updates/a.bin", "DELETE")
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_page_may_read_the_answer_to_its_upload(s3: Any, bucket: str) -> None:
    taken, refused = upload(ticket(s3, bucket)), upload(ticket(s3, bucket), b"short")
    assert taken.headers["Access-Control-Allow-Origin"] == "*"
    assert refused.headers["Access-Control-Allow-Origin"] == "*"


def test_a_taken_key_stays_as_it_is(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="checkpoints/one", Body=b"first", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=bucket, Key="checkpoints/one", Body=b"second", IfNoneMatch="*")
    assert s3.get_object(Bucket=bucket, Key="checkpoints/one")["Body"].read() == b"first"


def link(s3: Any, bucket: str, key: str, lasts: int = 60) -> str:
    return s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=lasts)


def preflight(url: str, method: str) -> requests.Response:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type",
    }
    return requests.options(url, headers=asked, timeout=10)


def absent(s3: Any, bucket: str, key: str) -> bool:
    return s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"] == 0
