"""What the harness finds in a record store that the service never used."""

import pytest

from harness.errors import PlatformError
from tests.docker.storage_ground import storage_ground


def test_no_such_table() -> None:
    """No table means no record, in the store's own words; a wrong query is the user's error."""
    with storage_ground() as ground:
        records = ground.backing.records("nobody-", 5.0)
        with pytest.raises(PlatformError, match="syntax error"):
            ground.backing.records("' AND --")
        told = [e for e in ground.grounds.recorder.events() if e.kind == "records.missing"]

    assert records is not None
    assert len(records) == 0
    assert [(each.time_s, each.details) for each in told] == [
        (5.0, {"why": 'relation "predictions" does not exist'})
    ]
