"""What the page does where scripts run: cross-hair, zoom, events, filter, copy."""

import re
from bisect import bisect_right

import pytest
from playwright.sync_api import Locator, Page

from harness.run import Run
from reports.charts import charts
from reports.charts.chart import Series
from reports.words import number
from tests.reports import sample, sample_hostile, sample_runs
from tests.reports.browser.opening import OpenPage

_SPAN_S = 40.0


@pytest.fixture(scope="module")
def kill() -> Run:
    """One scenario of forty seconds, with a kill after fifteen."""
    verdicts = (sample.verdict("N2", "held", 6.2), sample.verdict("T5", "broken", 12.0))
    return sample.run(sample.kill_scenario(2000, verdicts=verdicts))


def plot(page: Page, kind: str = "latency") -> Locator:
    """The part of a chart that listens."""
    return page.locator(f".plot:has(> svg.{kind})").first


def hover(page: Page, share: float, kind: str = "latency", down: float = 0.5) -> None:
    """Point at a place of a chart, from its left, 0 to 1, and from its top."""
    page.mouse.move(*place(page, share, kind, down))


def place(
    page: Page, share: float, kind: str = "latency", down: float = 0.5
) -> tuple[float, float]:
    """Where that is on the screen; the chart is brought there."""
    drawing = page.locator(f"svg.chart.{kind}").first
    drawing.scroll_into_view_if_needed()
    box = drawing.bounding_box()
    assert box is not None
    return box["x"] + share * box["width"], box["y"] + down * box["height"]


def drag(page: Page, began: float, ended: float, kind: str = "latency", down: float = 0.5) -> None:
    """Drag across a chart with the left button."""
    hover(page, began, kind, down)
    page.mouse.down()
    hover(page, (began + ended) / 2, kind, down)
    hover(page, ended, kind, down)
    page.mouse.up()


def readout(page: Page, kind: str = "latency") -> list[str]:
    """The lines beside the cross-hair of one chart."""
    return plot(page, kind).locator(".readout > *").all_inner_texts()


def hairs(page: Page) -> int:
    """How many charts show the line. It has no width, which locators take for not visible."""
    shown = "all => all.filter(each => getComputedStyle(each).display !== 'none').length"
    count: int = page.eval_on_selector_all(".hair", shown)
    return count


def instant_s(words: str) -> float:
    """The first instant that a text names."""
    found = re.search(r"([\d.]+) s", words)
    assert found is not None
    return float(found[1])


def ticks(page: Page, kind: str = "latency") -> list[float]:
    """What is written under a chart, in seconds."""
    labels = page.locator(f"svg.chart.{kind}").first.locator("text.tick:visible")
    return [instant_s(each) for each in labels.all_text_contents()]


def line(series: Series, at_s: float) -> str:
    """What a readout has to say of a series."""
    value = series.values[bisect_right(series.at_s, at_s) - 1]
    written = "—" if value is None else number(float(f"{value:.4g}"))
    gap = "" if series.unit.startswith("/") or value is None or not series.unit else " "
    return f"{series.name} {written}{gap}{'' if value is None else series.unit}"


@pytest.mark.parametrize("share", [0.118, 0.405, 0.83])
def test_cross_hair_shows_the_values_of_its_instant(
    open_page: OpenPage, kill: Run, share: float
) -> None:
    """All charts show the instant under the pointer, and what their series hold then."""
    page = open_page(kill)
    hover(page, share)
    lines = [each.bounding_box() for each in page.locator(".hair").all()]
    at_s = instant_s(readout(page)[0])
    drawn = [each for each in charts(kill.scenarios[0]) if each.picture]

    assert at_s == pytest.approx(share * _SPAN_S, abs=0.1)
    assert len({round(each["x"], 1) for each in lines if each}) == 1
    assert len(lines) == len(drawn) >= 3
    compared = 0
    for chart in drawn:
        figure = page.locator("figure").filter(has=page.get_by_text(chart.title, exact=True))
        shown = figure.locator(".readout > *").all_inner_texts()
        expected = [line(each, at_s) for each in chart.series]
        assert shown[0] == readout(page)[0]
        assert expected == shown[1 : 1 + len(expected)]
        compared += len(expected)
    assert compared >= 4


def test_cross_hair_tells_what_each_replica_was(open_page: OpenPage, kill: Run) -> None:
    """Before the kill all are ready; after it one is down, and then its successor starts."""
    page = open_page(kill)
    hover(page, 10 / _SPAN_S, "replicas")
    before = readout(page, "replicas")[1:]
    hover(page, 15.5 / _SPAN_S, "replicas")
    during = readout(page, "replicas")[1:]
    hover(page, 18 / _SPAN_S, "latency")
    after = readout(page, "replicas")[1:]

    assert sorted(before) == ["replica-1 ready", "replica-2 ready", "replica-3 ready"]
    assert sorted(during) == ["replica-1 ready", "replica-2 down", "replica-3 ready"]
    assert sorted(after) == ["replica-1 ready", "replica-3 ready", "replica-4 starting"]


def test_cross_hair_goes_with_the_pointer(open_page: OpenPage, kill: Run) -> None:
    """Where the pointer is on no chart there is no line."""
    page = open_page(kill)
    before = hairs(page), page.locator(".readout:visible").count()
    hover(page, 0.5)
    pointed = hairs(page), page.locator(".readout:visible").count()
    page.mouse.move(1, 1)

    assert before == (0, 0)
    assert pointed[0] == pointed[1] >= 3
    assert (hairs(page), page.locator(".readout:visible").count()) == (0, 0)


def test_cross_hair_stays_when_a_finger_is_lifted(open_page: OpenPage, kill: Run) -> None:
    """A touch shows the values, and they can be read after it."""
    page = open_page(kill)
    x, y = place(page, 0.25)
    touch = {"pointerType": "touch", "clientX": x, "clientY": y, "bubbles": True}
    plot(page).dispatch_event("pointerdown", touch)
    plot(page).dispatch_event("pointerup", touch)
    plot(page).dispatch_event("pointerleave", touch)

    assert instant_s(readout(page)[0]) == pytest.approx(0.25 * _SPAN_S, abs=0.1)
    assert plot(page).locator(".readout").is_visible()


def test_arrows_move_the_cross_hair(open_page: OpenPage, kill: Run) -> None:
    """An arrow key steps to the next values, with shift ten times as far, and they are told."""
    page = open_page(kill)
    series = next(each for each in charts(kill.scenarios[0]) if each.series).series
    steps = max((each.at_s for each in series), key=len)
    told = page.locator(".spoken").first
    plot(page).focus()
    heard = []
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight", "ArrowLeft", "Shift+ArrowLeft"):
        page.keyboard.press(key)
        heard.append(told.inner_text())

    at_s = [instant_s(each) for each in heard]
    first = steps.index(at_s[0])
    assert at_s == [steps[first + moved] for moved in (0, 1, 11, 10, 0)]
    assert line(series[0], at_s[2]) in heard[2]
    assert told.get_attribute("aria-live") == "polite"
    page.keyboard.press("Escape")
    assert hairs(page) == 0


def test_drag_zooms_all_charts(open_page: OpenPage, kill: Run) -> None:
    """After a drag all charts show that stretch, with ticks and a cross-hair of their own."""
    page = open_page(kill)
    before = ticks(page)
    drag(page, 0.25, 0.5)
    hover(page, 0.5)
    after = {kind: ticks(page, kind) for kind in ("latency", "goodput", "replicas")}

    assert before[0] == 0
    assert before[-1] == _SPAN_S
    assert all(each == after["latency"] for each in after.values())
    assert len(after["latency"]) >= 3
    assert 10 <= after["latency"][0] < after["latency"][-1] <= 20.1
    assert instant_s(readout(page)[0]) == pytest.approx(15, abs=0.2)
    for time in page.locator("svg.time").all():
        assert float((time.get_attribute("width") or "").rstrip("%")) == pytest.approx(400, abs=5)
    assert page.locator("svg.view").first.evaluate("e => getComputedStyle(e).overflow") == "hidden"


def test_tick_stands_at_its_instant(open_page: OpenPage, kill: Run) -> None:
    """The cross-hair over a label of the zoomed axis tells the instant of the label."""
    page = open_page(kill)
    drag(page, 0.25, 0.5)
    label = page.locator("svg.latency .ticks text").nth(1)
    box = label.bounding_box()
    assert box is not None
    _, y = place(page, 0.5)
    page.mouse.move(box["x"] + box["width"] / 2, y)

    assert instant_s(readout(page)[0]) == pytest.approx(
        instant_s(label.text_content() or ""), abs=0.05
    )


@pytest.mark.parametrize("way", ["double click", "Escape", "button"])
def test_zoom_is_left(open_page: OpenPage, kill: Run, way: str) -> None:
    """Any of three ways leads back to the whole scenario."""
    page = open_page(kill)
    before = ticks(page)
    drag(page, 0.25, 0.75)
    zoomed = ticks(page)
    if way == "double click":
        page.mouse.dblclick(*place(page, 0.9))
    elif way == "Escape":
        page.keyboard.press("Escape")
    else:
        page.get_by_role("button", name="whole scenario").first.click()

    assert zoomed != before
    assert ticks(page) == before
    assert not page.get_by_role("button", name="whole scenario").is_visible()
    assert {each.get_attribute("width") for each in page.locator("svg.time").all()} == {"100%"}


def test_zoom_by_keyboard(open_page: OpenPage, kill: Run) -> None:
    """Plus and minus zoom, shift with an arrow moves the stretch, Escape leaves it."""
    page = open_page(kill)
    hint = page.locator(".hint").first
    plot(page).focus()
    shown = []
    for key in ("+", "+", "ArrowRight", "Shift+ArrowRight", "-", "Escape"):
        page.keyboard.press(key)
        shown.append([float(each) for each in re.findall(r"([\d.]+) s\b", hint.inner_text())[:2]])

    assert shown[0] == [10, 30]
    assert shown[1] == shown[2] == [15, 25]
    assert shown[3][1] - shown[3][0] == pytest.approx(10, abs=0.02)
    assert shown[3][0] > 15.5
    assert shown[4][1] - shown[4][0] == pytest.approx(20, abs=0.02)
    assert shown[5] == []
    assert ticks(page)[-1] == _SPAN_S


def test_a_drag_is_no_click(open_page: OpenPage, kill: Run) -> None:
    """Zooming along a replica does not lead away to its events, as a click on it would."""
    page = open_page(kill)
    drag(page, 0.6, 0.9, "replicas", 0.1)

    assert ticks(page)[0] > 0
    assert page.locator("details.events[open]").count() == 0


def test_replica_leads_to_its_events(open_page: OpenPage, kill: Run) -> None:
    """A click on a strip opens the table of events at those of its replica, and one goes back."""
    page = open_page(kill)
    events = page.locator("details.events")
    rows = events.locator("tbody tr")
    page.locator("svg.strip[data-replica=replica-2]").first.click(position={"x": 9, "y": 7})
    shown = [each.inner_text() for each in rows.all() if each.is_visible()]

    assert 1 <= len(shown) < rows.count()
    assert all("replica-2" in each for each in shown)
    assert any("replica died" in each for each in shown)
    assert events.locator(".scroll").evaluate("e => e === document.activeElement")
    assert events.locator("output").inner_text() == f"{len(shown)} of {rows.count()} shown"
    events.get_by_role("button", name="all events").click()
    assert all(each.is_visible() for each in rows.all())


def test_window_leads_to_its_events(open_page: OpenPage, kill: Run) -> None:
    """A click on a shaded window shows what happened in it, and nothing else."""
    page = open_page(kill)
    page.mouse.click(*place(page, 17 / _SPAN_S, "goodput"))
    rows = page.locator("details.events tbody tr")
    at_s = [instant_s(each.inner_text()) for each in rows.all() if each.is_visible()]
    every_s = [instant_s(each.text_content() or "") for each in rows.all()]

    assert at_s == [each for each in every_s if 15 <= each <= 21.2]
    assert 0 < len(at_s) < len(every_s)


def test_step_of_the_recovery_leads_to_its_events(open_page: OpenPage, kill: Run) -> None:
    """By keyboard too: from the step before it up to the step itself."""
    page = open_page(kill)
    page.get_by_role("button", name="it is ready").press("Enter")
    rows = page.locator("details.events tbody tr")
    shown = [each.inner_text() for each in rows.all() if each.is_visible()]

    assert any("replica ready" in each for each in shown)
    assert len(shown) < rows.count()


def test_events_are_chosen_by_name_and_time(open_page: OpenPage, kill: Run) -> None:
    """The two lists above the table do what clicks do, for those who do not click."""
    page = open_page(kill)
    events = page.locator("details.events")
    events.locator("summary").press("Enter")
    events.locator("select").first.select_option("replica-4")
    events.locator("select").last.select_option(index=1)
    rows = [each.inner_text() for each in events.locator("tbody tr").all() if each.is_visible()]

    assert rows
    assert all("replica-4" in each for each in rows)
    assert all(15 <= instant_s(each) <= 21.21 for each in rows)


def test_scorecard_is_narrowed_to_a_verdict(open_page: OpenPage) -> None:
    """Each button shows as many rows as it says, and only those."""
    run = sample_runs.typical(200)
    page = open_page(run)
    scorecard = page.get_by_role("region", name="Scorecard")
    rows = scorecard.locator("tbody tr")
    words = [str(each.verdict) for each in run.verdicts]

    for verdict in ("broken", "inconclusive", "held", "all"):
        count = len(words) if verdict == "all" else words.count(verdict)
        button = scorecard.get_by_role("button", name=f"{verdict} {count}", exact=True)
        button.click()
        seen = [each.locator(".verdict").inner_text() for each in rows.all() if each.is_visible()]
        assert len(seen) == count > 0
        assert verdict == "all" or all(each.endswith(verdict) for each in seen)
        assert button.get_attribute("aria-pressed") == "true"
        assert f"{count} of {len(words)} " in scorecard.locator("output").inner_text()


def test_scorecard_is_narrowed_by_words(open_page: OpenPage) -> None:
    """Clause, statement and scenario are looked into, in any case and order of words."""
    page = open_page(sample_runs.typical(200))
    scorecard = page.get_by_role("region", name="Scorecard")
    field = scorecard.get_by_role("searchbox")
    rows = scorecard.locator("tbody tr:visible")
    found = {}
    for words in ("t5", "CONTRADICTS answer", "vanishes n2", "no such words", ""):
        field.fill(words)
        found[words] = [each.locator("b").first.inner_text() for each in rows.all()]

    assert found["t5"] == ["T5", "T5"]
    assert found["CONTRADICTS answer"] == ["D2"]
    assert found["vanishes n2"] == ["N2"]
    assert found["no such words"] == []
    assert len(found[""]) == len(sample_runs.typical(200).verdicts)


def test_folded_rows_are_found(open_page: OpenPage) -> None:
    """Promises that were kept and are folded away unfold when they are asked for."""
    verdicts = tuple(sample.verdict(f"H{n}", "held", n) for n in range(30))
    broken = sample.verdict("X1", "broken", 99.0)
    page = open_page(sample.run(sample.kill_scenario(100, verdicts=(*verdicts, broken))))
    rows = page.locator(".folded table.scorecard tbody tr:visible")
    field = page.get_by_role("searchbox")
    before = rows.count()
    field.fill("h17")
    found = rows.all_inner_texts()
    field.fill("")

    assert before == 0
    assert len(found) == 1
    assert "H17" in found[0]
    assert rows.count() == 0


def test_command_is_copied(open_page: OpenPage, kill: Run) -> None:
    """What the button copies can be pasted, and is the command that repeats the scenario."""
    page = open_page(kill)
    command = page.locator(".repeat").first
    command.get_by_role("button", name="copy").click()
    command.get_by_text("copied").wait_for()
    field = page.get_by_role("searchbox")
    field.focus()
    page.keyboard.press("Control+V")

    assert field.input_value() == kill.scenarios[0].repeat


def test_command_is_selected_where_pages_may_not_copy(open_page: OpenPage, kill: Run) -> None:
    """A browser that keeps the clipboard to itself still saves the reader the selecting."""
    page = open_page(kill)
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    command = page.locator(".repeat").first
    command.get_by_role("button", name="copy").click()
    command.get_by_text("copy it with the keyboard").wait_for()

    assert page.evaluate("String(getSelection())") == kill.scenarios[0].repeat


def test_hostile_names_stay_text_in_readouts_and_lists(open_page: OpenPage) -> None:
    """A replica or a fault whose name looks like markup adds no element where a script writes."""
    page = open_page(sample_hostile.hostile())
    hover(page, 0.2, "replicas")
    told = readout(page, "replicas")
    page.locator("svg.strip").first.click(position={"x": 9, "y": 7})
    options = page.locator("details.events option").all_text_contents()
    plot(page, "replicas").focus()
    for _ in range(5):
        page.keyboard.press("Shift+ArrowRight")

    assert any(sample_hostile.HOSTILE in each for each in told)
    assert any(sample_hostile.HOSTILE in each for each in options)
    assert page.locator("img").count() == 0
    assert page.locator("main script:not(.payload)").count() == 0


def test_paper_knows_nothing_of_it(open_page: OpenPage, kill: Run) -> None:
    """A page that was zoomed, pointed at and narrowed prints as if it had not been touched."""
    page = open_page(kill)
    page.get_by_role("button", name="broken 1").click()
    drag(page, 0.25, 0.5)
    page.emulate_media(media="print")

    assert page.locator("button:visible, input:visible, select:visible").all_inner_texts() == [
        each.inner_text() for each in page.locator("table.recovery button").all()
    ]
    assert hairs(page) == 0
    assert page.locator(".readout:visible, .tools:visible").count() == 0
    assert page.locator("table.scorecard tbody tr:visible").count() == 2
    assert ticks(page)[-1] == _SPAN_S
    assert page.locator("svg.time").first.evaluate("e => getComputedStyle(e).width") == "100%"


def test_nothing_of_it_is_there_without_scripts(open_page: OpenPage, kill: Run) -> None:
    """No control is shown that would do nothing."""
    page = open_page(kill, scripts=False)

    assert page.locator("button, input, select, output, [aria-live]").count() == 0
    assert page.locator(".plot[tabindex], .readout, .hair").count() == 0
    assert page.locator("details.events").count() == 1
