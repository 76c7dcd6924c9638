"""The numbers that a reader sees are those of run.json."""

import json
from pathlib import Path

from harness.run import load, save
from tests.reports import sample_runs
from tests.reports.browser.looking import unfold
from tests.reports.browser.opening import OpenPage

_ROWS = """rows => rows.map(row => {
    const number = row.querySelector("td.measured data");
    return [
        row.querySelector("td.clause b").innerText,
        row.querySelector("td.verdict").innerText.split(" ").at(-1),
        number && number.value,
    ];
})"""


def test_every_number_of_the_scorecard_equals_run_json(open_page: OpenPage, tmp_path: Path) -> None:
    """Clause, verdict and measured number of each row are those in the file, and none is missing.

    The file is read as plain JSON, so that no code of the report stands between.
    """
    save(sample_runs.typical(), tmp_path)
    document = json.loads((tmp_path / "run.json").read_bytes())
    page = open_page(load(tmp_path))
    unfold(page)
    seen = page.eval_on_selector_all("table.scorecard tbody tr", _ROWS)

    stored = [(each["id"], each["verdict"], each["measured"]) for each in document["clauses"]]
    assert len(stored) > 5
    assert sorted(stored, key=str) == sorted(
        (
            (id_, verdict, None if value is None else json.loads(value))
            for id_, verdict, value in seen
        ),
        key=str,
    )
    assert page.locator("table.scorecard tbody tr").count() == len(stored)
    assert all(row.is_visible() for row in page.locator("table.scorecard tbody tr").all())
