"""Fetches the model artifact whole, from the object store or the image, and proves its digest."""

import asyncio
import hashlib
import json
import random
from dataclasses import dataclass
from pathlib import Path

from obstore.store import S3Store

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
    """Fetch and check the artifact; while the store is away, keep trying."""
    if configuration.object_store is None:
        onnx, manifest = await asyncio.to_thread(_read_baked, configuration.model_dir)
    else:
        store, digest = configuration.object_store, configuration.model_digest
        onnx, manifest = await _download_until_whole(store, digest, log)
    return check_artifact(onnx, manifest, configuration.model_name, configuration.model_digest)


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
    """Try for ever with jittered backoff: a fleet that starts together must not knock together."""
    store = S3Store(
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
    backoff_s, attempts = BACKOFF_FIRST_S, 0
    while True:
        attempts += 1
        try:
            async with asyncio.TaskGroup() as group:
                onnx = group.create_task(_get(store, f"{digest}/model.onnx"))
                manifest = group.create_task(_get(store, f"{digest}/manifest.json"))
            return onnx.result(), manifest.result()
        except* Exception as errors:  # noqa: BLE001 - obstore's errors share no narrower ancestor
            first = errors.exceptions[0]
            reason = " ".join(f"{type(first).__name__}: {first}".split())[:500]
        pause_s = backoff_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter keeps no secret
        log.warning(
            "model_store_away", attempt=attempts, retry_in_s=round(pause_s, 3), reason=reason
        )
        await asyncio.sleep(pause_s)
        backoff_s = min(backoff_s * 2, BACKOFF_LAST_S)


async def _get(store: S3Store, path: str) -> bytes:
    """Read a whole object; a body that is cut short is a store that is away, not a wrong model."""
    async with asyncio.timeout(STALL_TIMEOUT_S):
        answer = await store.get_async(path)
    parts = aiter(answer.stream(min_chunk_size=1))
    body = bytearray()
    while True:
        async with asyncio.timeout(STALL_TIMEOUT_S):
            part = await anext(parts, None)
        if part is None:
            break
        body += part
    if len(body) != answer.meta["size"]:
        raise ConnectionError(f"{path}: {len(body)} of {answer.meta['size']} bytes came")
    return bytes(body)
