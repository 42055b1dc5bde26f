"""`Blobs` on S3. The only module that knows S3's status codes.

Blobs are read with obstore, all else is done with botocore. A commit reads many bodies and writes one checkpoint, and
botocore takes six times as much of the processor to read one (bench/commits.py); but it signs forms, and sends a
checksum with what it writes.
"""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import obstore
from botocore.exceptions import BotoCoreError, ClientError
from obstore.exceptions import GenericError

from webnn.errors import Conflict, Missing, Unavailable
from webnn.store.ports import Blob, UploadTicket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef
    from obstore.store import S3Store

# 412: the key is taken. 409: another conditional write to the key is under way.
REFUSED = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}
ABSENT = {"NoSuchKey", "404", "NotFound"}


class S3Blobs:
    """Blobs in a bucket."""

    def __init__(self, s3: "S3Client", bucket: str, reader: "S3Store") -> None:
        """Takes a client that signs with s3v4 and addresses buckets by path, the data bucket's name, and its reader."""
        self._s3 = s3
        self._bucket = bucket
        self._reader = reader

    def create(self, key: str, body: bytes) -> None:
        """See `Blobs.create`."""
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if not _landed_earlier(error) or self.get(key) != body:
                _translate(error, key)
        except BotoCoreError as error:
            raise Unavailable(f"S3 did not answer about {key}", key=key) from error

    def get(self, key: str) -> memoryview:
        """See `Blobs.get`."""
        try:
            return memoryview(obstore.get(self._reader, key).bytes())
        except FileNotFoundError as error:
            raise Missing(f"no blob {key}", key=key) from error
        except GenericError as error:  # after all its tries: no answer, or one that the server is to blame for
            raise Unavailable(f"S3 did not answer about {key}", key=key) from error

    def listed(self, prefix: str, after: str, limit: int) -> list[Blob]:
        """See `Blobs.listed`."""
        try:
            answer = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, StartAfter=after, MaxKeys=limit)
        except ClientError as error:
            _translate(error, prefix)
        except BotoCoreError as error:
            raise Unavailable(f"S3 did not answer about {prefix}", key=prefix) from error
        return [
            Blob(found["Key"], found["Size"], int(found["LastModified"].timestamp() * 1000))
            for found in answer.get("Contents", [])
        ]

    def delete(self, keys: Sequence[str]) -> None:
        """See `Blobs.delete`."""
        wanted: list[ObjectIdentifierTypeDef] = [{"Key": key} for key in keys]
        try:
            answer = self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": wanted, "Quiet": True})
        except ClientError as error:
            _translate(error, keys[0])
        except BotoCoreError as error:
            raise Unavailable(f"S3 did not answer about {keys[0]}", key=keys[0]) from error
        for left in answer.get("Errors", []):
            raise Unavailable(f"S3 did not delete {left['Key']}: {left.get('Message')}", key=left["Key"])

    def download_url(self, key: str, expires_in: int) -> str:
        """See `Blobs.download_url`."""
        return self._s3.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=expires_in
        )

    def upload_ticket(self, key: str, size: int, sha256: str, expires_in: int) -> UploadTicket:
        """See `Blobs.upload_ticket`.

        S3 itself holds the upload to the size and the SHA-256, so a ticket used twice writes the same bytes.
        """
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        fields = {
            "success_action_status": "201",
            "x-amz-checksum-algorithm": "SHA256",
            "x-amz-checksum-sha256": checksum,
        }
        conditions: list[dict[str, str] | list[str | int]] = [{name: value} for name, value in fields.items()]
        conditions.append(["content-length-range", size, size])
        post = self._s3.generate_presigned_post(
            self._bucket, key, Fields=dict(fields), Conditions=conditions, ExpiresIn=expires_in
        )
        return UploadTicket(post["url"], post["fields"])


def _landed_earlier(error: ClientError) -> bool:
    """Whether this refusal may be of a repeat whose first try landed with its answer lost."""
    retries = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)
    return retries > 0 and error.response["Error"]["Code"] in REFUSED


def _translate(error: ClientError, key: str) -> NoReturn:
    code = error.response["Error"]["Code"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in REFUSED:
        raise Conflict(f"{key} is taken", key=key) from error
    if code in ABSENT:
        raise Missing(f"no blob {key}", key=key) from error
    if status >= 500 or code in {"SlowDown", "RequestTimeout", "Throttling"}:
        raise Unavailable(f"S3 answered {code} about {key}", key=key) from error
    raise error
