"""The table of predictions: its columns, the one statement that writes them, and its creation."""

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
    created_at timestamptz NOT NULL DEFAULT now()
)
"""

# The update counts a repeated execution and returns the row that stands, which a
# DO NOTHING would not. Another input under the same id adds nothing: it is refused.
INSERT = """
INSERT INTO predictions (request_id, model_name, model_version, model_digest, replica,
                         input_digest, label, labels, probabilities, executions)
SELECT *
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
            $6::bytea[], $7::bigint[], $8::bytea[], $9::bytea[], $10::int[])
ON CONFLICT (request_id) DO UPDATE
SET executions = predictions.executions
    + CASE WHEN predictions.input_digest = excluded.input_digest
           THEN excluded.executions ELSE 0 END
RETURNING request_id, input_digest, model_version, model_digest, labels, probabilities
"""


async def ensure_table(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Create the table once, however many replicas start together.

    IF NOT EXISTS alone is not safe: two sessions may both look, both create, and one fails.
    """
    if await connection.fetchval("SELECT to_regclass('predictions') IS NOT NULL"):
        return
    async with connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})")
        await connection.execute(CREATE)


def columns(rows: Sequence[tuple[Prediction, int]], replica: str) -> tuple[list[object], ...]:
    """Turn rows into the columns that the statement takes."""
    predictions = [prediction for prediction, _ in rows]
    return (
        [prediction.request_id for prediction in predictions],
        [prediction.model_name for prediction in predictions],
        [prediction.model_version for prediction in predictions],
        [prediction.model_digest for prediction in predictions],
        [replica] * len(rows),
        [prediction.input_digest for prediction in predictions],
        [prediction.outputs.first_label for prediction in predictions],
        [prediction.outputs.labels for prediction in predictions],
        [prediction.outputs.probabilities for prediction in predictions],
        [executions for _, executions in rows],
    )


def stored_rows(
    answer: Iterable[asyncpg.Record],
) -> Iterator[tuple[str, bytes, str, str, Outputs]]:
    """Read back the rows that stand."""
    for request_id, input_digest, version, digest, labels, probabilities in answer:
        outputs = Outputs(probabilities=probabilities, labels=labels)
        yield request_id, input_digest, version, digest, outputs
