"""The table of predictions: its columns, the one statement that writes them, and its creation."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence

import asyncpg

from service_under_test.predictions import Outputs, Prediction

SCHEMA_LOCK = 0x6D61_7966  # any number, the same in every replica

CREATE = """
CREATE TABLE IF NOT EXISTS predictions (
    request_id text PRIMARY KEY,
    model_name text NOT NULL,
    model_version text NOT NULL,
    model_digest text NOT NULL,
    replica text NOT NULL,
    input_digest bytea NOT NULL,
    label bigint NOT NULL,
    labels bytea NOT NULL,
    probabilities bytea NOT NULL,
    executions integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    checksum bytea NOT NULL,
    CONSTRAINT whole CHECK (checksum = sha256(
        convert_to(request_id || E'\\n' || model_name || E'\\n' || model_version || E'\\n'
                   || model_digest || E'\\n' || label::text || E'\\n', 'UTF8')
        || input_digest || labels || probabilities))
)
"""
"""What the replica sums up the database sums up again: a bit that flips on the way is an error, and
not a record. The replica does the same with what comes back."""

# One JSON parameter: arrays would make asyncpg ask for their types on each new connection, which
# with a database 200 ms away in each direction takes 3 s.
# The update counts a repeated execution and returns the row that stands, which a
# DO NOTHING would not. Another input under the same id adds nothing: it is refused.
INSERT = """
INSERT INTO predictions (request_id, model_name, model_version, model_digest, replica,
                         input_digest, label, labels, probabilities, executions, checksum)
SELECT request_id, model_name, model_version, model_digest, replica,
       input_digest, label, labels, probabilities, executions, checksum
FROM json_to_recordset($1::json) AS given (
    request_id text, model_name text, model_version text, model_digest text, replica text,
    input_digest bytea, label bigint, labels bytea, probabilities bytea, executions int,
    checksum bytea)
ON CONFLICT (request_id) DO UPDATE
SET executions = predictions.executions
    + CASE WHEN predictions.input_digest = excluded.input_digest
           THEN excluded.executions ELSE 0 END
RETURNING request_id, input_digest, model_version, model_digest, labels, probabilities, checksum
"""


class GarbledError(Exception):
    """A record came back other than it was written."""


async def ensure_table(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Create the table once, however many replicas start together.

    IF NOT EXISTS alone is not safe: two sessions may both look, both create, and one fails.
    """
    if await connection.fetchval("SELECT to_regclass('predictions') IS NOT NULL"):
        return
    async with connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})")
        await connection.execute(CREATE)


def given(rows: Sequence[tuple[Prediction, int]], replica: str) -> str:
    """Write predictions, and how often each was executed, as the statement takes them."""
    return json.dumps([_row(prediction, executions, replica) for prediction, executions in rows])


def _row(prediction: Prediction, executions: int, replica: str) -> dict[str, str | int]:
    outputs = prediction.outputs
    names = (prediction.model_name, prediction.model_version, prediction.model_digest)
    summed = checksum(prediction.request_id, *names, prediction.input_digest, outputs)
    return {
        "request_id": prediction.request_id,
        "model_name": prediction.model_name,
        "model_version": prediction.model_version,
        "model_digest": prediction.model_digest,
        "replica": replica,
        "input_digest": "\\x" + prediction.input_digest.hex(),
        "label": outputs.first_label,
        "labels": "\\x" + outputs.labels.hex(),
        "probabilities": "\\x" + outputs.probabilities.hex(),
        "executions": executions,
        "checksum": "\\x" + summed.hex(),
    }


def checksum(
    request_id: str,
    model_name: str,
    model_version: str,
    model_digest: str,
    input_digest: bytes,
    outputs: Outputs,
) -> bytes:
    """Sum up one record as the table's constraint does."""
    texts = (request_id, model_name, model_version, model_digest, str(outputs.first_label), "")
    content = "\n".join(texts).encode() + input_digest + outputs.labels + outputs.probabilities
    return hashlib.sha256(content).digest()


def stored_rows(
    answer: Iterable[asyncpg.Record], model_name: str
) -> Iterator[tuple[str, bytes, str, str, Outputs]]:
    """Read back the rows that stand. Raises GarbledError."""
    for request_id, input_digest, version, digest, labels, probabilities, stored_sum in answer:
        outputs = Outputs(probabilities=probabilities, labels=labels)
        seen = checksum(request_id, model_name, version, digest, input_digest, outputs)
        if seen != stored_sum:
            raise GarbledError
        yield request_id, input_digest, version, digest, outputs
