"""The web client, from a folder of built files to the site bucket.

Files whose name has a hash of their content never change and are cached for a year; the rest is asked for again
each time. A new page goes up last, when everything it names is there. Nothing is removed: a tab that was open
before may still load the old parts, by their old names, and they cost next to nothing to keep.
"""

import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from webnn.errors import Invalid
from webnn.stack.calls import Progress, answered, silent

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PAGE = "index.html"
CONFIG = "config.json"
# Written out, since the machine's own table of types differs from system to system.
TYPES = {
    ".bin": "application/octet-stream",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
COMPRESSED = {".jpg", ".png", ".webp", ".woff2"}
# Below this a packet is a packet.
WORTH_COMPRESSING = 1_024
# The build ends a name with eight characters of base64url; eight small letters are rather a word.
HASHED = re.compile(r"assets/.*[-.](?=[a-z-]*[A-Z0-9_])[A-Za-z0-9_-]{8}\.\w+(\.map)?")
FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


@dataclass(frozen=True, slots=True)
class SiteFile:
    """One object of the site, ready to be sent."""

    key: str
    body: bytes = field(repr=False)
    content_type: str
    cache_control: str
    gzipped: bool


def site_url(s3: "S3Client", site: str) -> str:
    """The page's address. S3's own endpoint, not its website one: only this speaks HTTPS."""
    return f"{s3.meta.endpoint_url}/{site}/{PAGE}"


def upload_site(
    s3: "S3Client", site: str, folder: Path, config: Mapping[str, str], on_progress: Progress = silent
) -> str:
    """Uploads the built web client and its `config.json`, and returns the page's address.

    Args:
        s3: A client of the stage's engine.
        site: The site bucket.
        folder: What the web build made. A `config.json` in it gives way to `config`.
        config: What the page must know, such as the API's base URL.
        on_progress: Told each key as it goes up.

    Raises:
        Invalid: The folder holds no built client, or a file of a type that browsers would be told wrongly.
        Unavailable: The engine did not answer. Running it again is safe.
    """
    files = site_files(folder)
    settings = SiteFile(CONFIG, json.dumps(dict(config), indent=2).encode(), TYPES[".json"], ASK_AGAIN, gzipped=False)
    with answered(f"upload the site to {site}"):
        for each in [*files[:-1], settings, files[-1]]:
            _put(s3, site, each)
            on_progress(each.key)
    return site_url(s3, site)


def site_files(folder: Path) -> list[SiteFile]:
    """The built client's files, the page last. Raises Invalid as `upload_site` does."""
    if not (folder / PAGE).is_file():
        raise Invalid(f"{folder} holds no built web client: run `make web`", folder=str(folder))
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    paths.pop(CONFIG, None)
    page = paths.pop(PAGE)
    # Other pages after what they name, too.
    ordered = sorted(paths.items(), key=lambda item: (item[0].endswith(".html"), item[0]))
    return [site_file(key, path.read_bytes()) for key, path in [*ordered, (PAGE, page)]]


def site_file(key: str, body: bytes) -> SiteFile:
    """How a file is to be sent. S3 compresses nothing by itself, so what gets smaller goes up compressed."""
    suffix = "." + key.rpartition(".")[2]
    if suffix not in TYPES:
        raise Invalid(f"no content type is known for {key}", key=key)
    packed = gzip.compress(body, mtime=0) if suffix not in COMPRESSED and len(body) >= WORTH_COMPRESSING else body
    smaller = len(packed) < len(body)
    cache = FOREVER if HASHED.fullmatch(key) else ASK_AGAIN
    return SiteFile(key, packed if smaller else body, TYPES[suffix], cache, smaller)


def _put(s3: "S3Client", site: str, file: SiteFile) -> None:
    common = {"Bucket": site, "Key": file.key, "Body": file.body}
    headers = {"ContentType": file.content_type, "CacheControl": file.cache_control}
    if file.gzipped:
        headers["ContentEncoding"] = "gzip"
    s3.put_object(**common, **headers)  # type: ignore[arg-type]
