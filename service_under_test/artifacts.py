"""Fetches the model artifact whole, from the object store or the image, and proves its digest."""

import asyncio
import hashlib
import json
import random
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.exceptions import PreconditionError
from obstore.store import S3Store

if TYPE_CHECKING:
    from obstore import GetOptions
from service_under_test.configuration import Configuration, ObjectStore
from service_under_test.logs import EventLog

BACKOFF_FIRST_S = 0.1
BACKOFF_LAST_S = 2.0
CONNECT_TIMEOUT = "2s"
STALL_TIMEOUT_S = 5.0
"""How long a download may stand still. A slow store is slow, and still brings the model."""
DOWNLOAD_TIMEOUT = "3600s"


class ArtifactError(Exception):
    """The artifact is not the one that was declared; fetching it again would not help."""

    def __init__(self, expected: str, seen: str, action: str) -> None:
        super().__init__(f"expected {expected}, saw {seen}; {action}")
        self.expected = expected
        self.seen = seen
        self.action = action


@dataclass(frozen=True, slots=True)
class Artifact:
    """A model whose bytes have the declared digest."""

    name: str
    version: str
    digest: str
    classes: tuple[str, ...]
    onnx: bytes


async def fetch_artifact(configuration: Configuration, log: EventLog) -> Artifact:
    """Fetch and check the artifact; while the store is away or garbles it, keep trying.

    Raises ArtifactError where the same wrong bytes come twice: then they lie there so.
    """
    name, digest = configuration.model_name, configuration.model_digest
    store = configuration.object_store
    if store is None:
        onnx, manifest = await asyncio.to_thread(_read_baked, configuration.model_dir)
        return check_artifact(onnx, manifest, name, digest)
    doubted: tuple[bytes, bytes] | None = None
    while True:
        onnx, manifest = await _download_until_whole(store, digest, log)
        try:
            return check_artifact(onnx, manifest, name, digest)
        except ArtifactError as error:
            if doubted == (onnx, manifest):
                raise
            doubted = onnx, manifest
            log.warning("model_doubted", expected=error.expected, seen=error.seen)


def check_artifact(onnx: bytes, manifest: bytes, name: str, digest: str) -> Artifact:
    """Prove that the bytes are those that were declared, or raise."""
    seen = hashlib.sha256(onnx).hexdigest()
    if seen != digest:
        raise ArtifactError(
            f"model.onnx with sha256 {digest}",
            f"sha256 {seen} ({len(onnx)} bytes)",
            "upload the declared model again, or declare the digest of this one in MODEL_DIGEST",
        )
    try:
        fields = json.loads(manifest)
        artifact = Artifact(
            name=str(fields["name"]),
            version=str(fields["version"]),
            digest=digest,
            classes=tuple(str(label) for label in fields["classes"]),
            onnx=onnx,
        )
        declared = str(fields["sha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            "manifest.json with name, version, sha256 and classes",
            f"{type(error).__name__}: {error}",
            "write the manifest again with the training package",
        ) from error
    for what, wanted, found in (("name", name, artifact.name), ("sha256", digest, declared)):
        if wanted != found:
            raise ArtifactError(
                f"manifest.json with {what} {wanted}",
                f"{what} {found}",
                "point MODEL_NAME and MODEL_DIGEST at one and the same model",
            )
    return artifact


def _read_baked(folder: Path) -> tuple[bytes, bytes]:
    try:
        return (folder / "model.onnx").read_bytes(), (folder / "manifest.json").read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"model.onnx and manifest.json in {folder}",
            f"{error.strerror}: {error.filename}",
            "bake the model into the image, or set MODEL_SOURCE=s3",
        ) from error


async def _download_until_whole(
    source: ObjectStore, digest: str, log: EventLog
) -> tuple[bytes, bytes]:
    """Try for ever with full jitter: a fleet that starts together must not knock together.

    An outage is logged once, when it begins, with its reason. Both objects travel together.
    """
    store = _open(source)
    objects = (_Object(store, f"{digest}/model.onnx"), _Object(store, f"{digest}/manifest.json"))
    begun_s, backoff_s, attempts = time.monotonic(), BACKOFF_FIRST_S, 0
    while True:
        attempts += 1
        results = await asyncio.gather(*(each.fetch() for each in objects), return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        if not errors:
            break
        if attempts == 1:
            reason = " ".join(f"{type(errors[0]).__name__}: {errors[0]}".split())[:500]
            log.warning("model_store_away", attempt=attempts, reason=reason)
        await asyncio.sleep(random.uniform(0.0, backoff_s))  # noqa: S311 - jitter keeps no secret
        backoff_s = min(backoff_s * 2, BACKOFF_LAST_S)
    if attempts > 1:
        after_ms = round(1000 * (time.monotonic() - begun_s))
        log.info("model_store_back", attempts=attempts, after_ms=after_ms)
    onnx, manifest = (bytes(each.body) for each in objects)
    return onnx, manifest


def _open(source: ObjectStore) -> S3Store:
    return S3Store(
        source.bucket,
        endpoint=source.endpoint_url,
        access_key_id=source.access_key_id,
        secret_access_key=source.secret_access_key,
        region="us-east-1",
        virtual_hosted_style_request=False,
        client_options={
            "allow_http": True,
            "timeout": DOWNLOAD_TIMEOUT,
            "connect_timeout": CONNECT_TIMEOUT,
        },
        retry_config={"max_retries": 0},
    )


class _Object:
    """One object on its way; what has come already need not come again."""

    def __init__(self, store: S3Store, path: str) -> None:
        self._store = store
        self._path = path
        self._etag: str | None = None
        self._is_whole = False
        self.body = bytearray()

    async def fetch(self) -> None:
        """Fetch what is missing. Raises where the store is away, or changed the bytes."""
        if self._is_whole:
            return
        try:
            size = await self._fetch_rest()
        except PreconditionError:  # another object lies there now
            self._begin_anew()
            raise
        if len(self.body) < size:
            raise ConnectionError(f"{self._path}: {len(self.body)} of {size} bytes came")
        self._check()
        self._is_whole = True

    async def _fetch_rest(self) -> int:
        options: GetOptions = {}
        if self.body and self._etag:
            options = {"range": {"offset": len(self.body)}, "if_match": self._etag}
        else:
            self.body.clear()
        async with asyncio.timeout(STALL_TIMEOUT_S):
            answer = await self._store.get_async(self._path, options=options)
        self._etag = answer.meta["e_tag"]
        if answer.range[0] != len(self.body):
            self._begin_anew()
            raise ConnectionError(f"{self._path}: another part came than was asked for")
        parts = aiter(answer.stream(min_chunk_size=1))
        while True:
            async with asyncio.timeout(STALL_TIMEOUT_S):
                part = await anext(parts, None)
            if part is None:
                return answer.meta["size"]
            self.body += part

    def _check(self) -> None:
        """Tell bytes that changed on the way, which come anew, from a model that lies there wrong.

        The store's tag of an object that was put in one piece is its MD5.
        """
        tag = (self._etag or "").strip('"')
        seen = hashlib.md5(self.body, usedforsecurity=False).hexdigest()
        if re.fullmatch("[0-9a-f]{32}", tag) and tag != seen:
            self._begin_anew()
            raise ConnectionError(f"{self._path}: bytes changed on the way")

    def _begin_anew(self) -> None:
        self.body.clear()
        self._etag = None
