"""`PublicObjects` on S3, in the site bucket, whose policy lets everybody read.

Written compressed, since S3 compresses nothing by itself. `max-age` is for caches that many watchers share: it is as
long as an object stays as it is while a run is busy.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from webnn.errors import Conflict, Unavailable
from webnn.store.public import PublicObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

# Who may not list a bucket is told that an absent object is forbidden.
ABSENT = {"NoSuchKey", "404", "AccessDenied", "403"}
# 412: another is there. 409: another conditional write is under way. Absent: what was to be replaced is gone.
REFUSED = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409", "NoSuchKey", "404"}
FOR_A_MOMENT = "public, max-age=2"
FOREVER = "public, max-age=31536000, immutable"


class S3PublicObjects:
    """Public objects in a bucket."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        """Takes a client that addresses buckets by path, and the site bucket's name."""
        self._s3 = s3
        self._bucket = bucket

    def read(self, key: str) -> PublicObject | None:
        """See `PublicObjects.read`."""
        with _answered(key):
            try:
                answer = self._s3.get_object(Bucket=self._bucket, Key=key)
                body = answer["Body"].read()
            except ClientError as error:
                if error.response["Error"]["Code"] in ABSENT:
                    return None
                raise
        return PublicObject(_unpacked(body), answer["ETag"])

    def replace(self, key: str, body: bytes, tag: str | None) -> None:
        """See `PublicObjects.replace`."""
        condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        with _answered(key):
            try:
                self._put(key, body, FOR_A_MOMENT, condition)
            except ClientError as error:
                if error.response["Error"]["Code"] in REFUSED:
                    raise Conflict(f"{key} is another by now", key=key) from error
                raise

    def keep(self, key: str, body: bytes) -> None:
        """See `PublicObjects.keep`."""
        with _answered(key):
            self._put(key, body, FOREVER, {})

    def delete(self, key: str, beside: str) -> None:
        """See `PublicObjects.delete`."""
        with _answered(beside):
            self._s3.delete_object(Bucket=self._bucket, Key=key)
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=beside):
                found: list[ObjectIdentifierTypeDef] = [{"Key": one["Key"]} for one in page.get("Contents", [])]
                if found:
                    self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": found, "Quiet": True})

    def address(self, key: str) -> str:
        """See `PublicObjects.address`."""
        return f"{self._s3.meta.endpoint_url}/{self._bucket}/{key}"

    def _put(self, key: str, body: bytes, cache: str, condition: dict[str, Any]) -> None:
        self._s3.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=gzip.compress(body, mtime=0),
            ContentType="application/json",
            ContentEncoding="gzip",
            CacheControl=cache,
            **condition,
        )


def _unpacked(body: bytes) -> bytes:
    """What was written; nothing if this is not what somebody wrote whole."""
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return b""


@contextmanager
def _answered(key: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(f"S3 did not take or give {key}: {error}", key=key) from error
