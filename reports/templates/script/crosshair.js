// One vertical line at the same instant in all charts of a scenario, and what is known of it.
// All instants are seconds since the time axis of the scenario began.

const VALUE = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const INSTANT = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

function seconds(instant) {
  return `${INSTANT.format(instant)} s`;
}

/** The place of the last of these ascending instants that is not after this one; -1: none. */
function placeOf(instant, ascending) {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] <= instant) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function quantity(value, unit) {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "—";
  return `${VALUE.format(value)}${unit.startsWith("/") ? "" : " "}${unit}`.trim();
}

/** Name and value of each series at the instant; a replica without a state is not there. */
function valuesAt(chart, instant) {
  return chart.series
    .map((each) => ({ ...each, value: each.values[placeOf(instant, each.starts)] ?? null }))
    .filter(({ states, value }) => !states || value !== null)
    .map(({ name, unit, value }) => [name, quantity(value, unit)]);
}

/** The instant under the pointer; beside the chart, the end that is nearer. */
function instantUnder(scene, chart, event) {
  const { left, width } = chart.svg.getBoundingClientRect();
  const share = Math.min(Math.max((event.clientX - left) / width, 0), 1);
  return scene.from + share * (scene.to - scene.from);
}

/** Move the line to an instant, or take it away where there is none. */
function point(scene, instant) {
  scene.at = instant;
  scene.section.classList.toggle("pointed", instant !== null);
  if (instant === null) return;
  const share = (instant - scene.from) / (scene.to - scene.from);
  for (const chart of scene.charts) {
    for (const end of ["x1", "x2"]) chart.hair.setAttribute(end, `${100 * share}%`);
    chart.readout.style.setProperty("--share", share);
    chart.readout.classList.toggle("before", share > 0.5);
    const values = valuesAt(chart, instant).map(([name, value]) =>
      element("span", {}, `${name} `, element("b", {}, value)),
    );
    chart.readout.replaceChildren(element("span", {}, seconds(instant)), ...values);
  }
}

/**
 * Step by so many buckets. A zoomed stretch stays where it is as long as the line is in it, or moves
 * along with the line.
 */
function step(scene, chart, count, along) {
  const { at, buckets, from, to } = scene;
  const begun = at !== null && at >= from && at <= to;
  const place = begun ? placeOf(at, buckets) + count : placeOf(from, buckets) + 1;
  const instant = buckets[Math.min(Math.max(place, 0), buckets.length - 1)];
  if (begun && along) zoom(scene, from + instant - at, to + instant - at);
  if (instant < scene.from) zoom(scene, instant, instant + to - from);
  if (instant > scene.to) zoom(scene, instant - (to - from), instant);
  point(scene, instant);
  speak(scene, chart);
}

/** Tell the instant and the values of one chart to a screen reader. */
function speak(scene, chart) {
  const inForce = scene.windows.filter((each) => each.from_s <= scene.at && scene.at <= each.to_s);
  const values = valuesAt(chart, scene.at).map(([name, value]) => `${name} ${value}`);
  const words = [seconds(scene.at), ...inForce.map(({ name }) => name), ...values];
  scene.spoken.textContent = words.join(", ");
}

function watchPointer(scene, chart) {
  const show = (event) => point(scene, instantUnder(scene, chart, event));
  chart.plot.addEventListener("pointermove", show);
  chart.plot.addEventListener("pointerdown", show);
  chart.plot.addEventListener("pointerleave", (event) => {
    // A finger that is lifted leaves the line, so that the values can be read.
    if (event.pointerType !== "touch") point(scene, null);
  });
  chart.plot.addEventListener("blur", () => point(scene, null));
}
