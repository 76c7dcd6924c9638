// Narrows the table of a scenario's events to one name, or to one stretch of time.

const NEAR_PX = 3; // a window may be narrower than a finger or an unsteady hand
const EDGE_S = 0.01; // instants are written with so much precision
const EVERYTHING = { name: "", stretch: "" };

/** Add the controls to the table; the function that narrows it, opens it and goes there. */
function watchEvents(scene) {
  const box = scene.section.querySelector("details.events");
  if (box === null) return () => {};
  const rows = [...box.querySelectorAll("tbody tr")].map(eventOf);
  const stretches = [...scene.windows, ...scene.steps];
  const names = new Set([...rows.flatMap((each) => each.names), ...scene.replicas]);

  const narrow = ({ name, stretch }) => {
    [byName.made.value, byStretch.made.value] = [name, stretch];
    const within = stretches[stretch];
    for (const each of rows) {
      const named = name === "" || each.names.includes(name);
      each.row.hidden = !(named && (within === undefined || isWithin(each.at, within)));
    }
    const shown = rows.filter(({ row }) => !row.hidden).length;
    count.textContent = `${shown} of ${rows.length} shown`;
    all.hidden = name === "" && stretch === "";
  };
  const chosen = () => narrow({ name: byName.made.value, stretch: byStretch.made.value });

  const region = box.querySelector(".scroll");
  const byName = choice("of", [["", "all names"], ...[...names].map((each) => [each, each])], chosen);
  const options = stretches.map((each, place) => [String(place), `${each.name}, ${lasting(each)}`]);
  const byStretch = choice("at", [["", "any time"], ...options], chosen);
  const count = element("output");
  const all = button("all events", () => {
    narrow(EVERYTHING);
    region.focus();
  });
  region.before(element("div", { class: "tools" }, byName.label, byStretch.label, all, count));
  narrow(EVERYTHING);

  return (wanted) => {
    narrow({ ...EVERYTHING, ...wanted });
    box.open = true;
    box.scrollIntoView({ block: "nearest" });
    region.focus({ preventScroll: true });
  };
}

/** The steps of the recovery, each from the one before it. */
function stepsOf(section, windows) {
  const rows = [...section.querySelectorAll("table.recovery tr[data-at-s]")];
  const ends = rows.map((row) => Number(row.dataset.atS));
  return rows.map((row, place) => {
    const head = row.querySelector("th");
    const before = ends[place - 1] ?? windows[0]?.from_s ?? ends[place];
    const from_s = Math.min(before, ends[place]);
    return { head, name: head.textContent, from_s, to_s: ends[place] };
  });
}

function eventOf(row) {
  const others = row.dataset.others?.split("\n") ?? [];
  return { row, at: Number(row.dataset.at), names: [row.cells[2].textContent, ...others] };
}

function isWithin(instant, { from_s, to_s }) {
  return from_s - EDGE_S <= instant && instant <= to_s + EDGE_S;
}

function lasting({ from_s, to_s }) {
  return `${seconds(from_s)} to ${seconds(to_s)}`;
}

/** A click on a replica shows its events, one on a window or a step of the recovery those in it. */
function watchClicks(scene, show) {
  for (const chart of scene.charts) {
    chart.plot.addEventListener("click", (event) => {
      const replica = event.target.closest("[data-replica]")?.dataset.replica;
      if (replica !== undefined) show({ name: replica });
      // The first click of a double click must not lead away from a chart that is zoomed.
      else if (scene.whole.hidden && event.target.closest("svg.chart")) {
        const stretch = windowUnder(scene, chart, event);
        if (stretch >= 0) show({ stretch: String(stretch) });
      }
    });
  }
  scene.steps.forEach(({ head }, place) => {
    const stretch = String(scene.windows.length + place);
    const title = "show the events of this step";
    head.replaceChildren(button(head.textContent, () => show({ stretch }), { class: "step", title }));
  });
}

/** The place of the shortest window whose name or stretch is under the pointer; -1: none is. */
function windowUnder(scene, chart, event) {
  const instant = instantUnder(scene, chart, event);
  const near_s = (NEAR_PX * (scene.to - scene.from)) / chart.svg.getBoundingClientRect().width;
  const length = (place) => scene.windows[place].to_s - scene.windows[place].from_s;
  const named = event.target.closest("text.window")?.querySelector("title")?.textContent;
  const under = [...scene.windows.keys()].filter((place) => {
    const { name, from_s, to_s } = scene.windows[place];
    if (named !== undefined) return name === named;
    return from_s - near_s <= instant && instant <= to_s + near_s;
  });
  return under.sort((one, other) => length(one) - length(other))[0] ?? -1;
}
