// Shows a stretch of the time axis in all charts of a scenario.

const LEAST_SHARE = 1 / 200; // of the scenario: the cells of the latency chart are not finer
const DRAG_PX = 6; // less is a click with an unsteady hand
const TICKS = 8;
const FAR = 10; // steps of the line, with shift
const TICKS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600];
const TICK_LABEL = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });
const HINT =
  "Point at a chart for its values, drag to zoom, click a replica or a window for its events. " +
  "By keyboard: arrows, with shift ten steps at once; plus, minus, Escape.";

/** Show this stretch, or as much of it as the scenario has. */
function zoom(scene, from, to) {
  const span = scene.span;
  const length = Math.min(Math.max(to - from, span * LEAST_SHARE), span);
  scene.from = Math.min(Math.max(from, 0), span - length);
  scene.to = scene.from + length;
  const zoomed = length < span;
  scene.section.classList.toggle("zoomed", zoomed);
  scene.whole.hidden = !zoomed;
  scene.status.textContent = zoomed
    ? `${seconds(scene.from)} to ${seconds(scene.to)} of ${seconds(span)} is shown.`
    : HINT;
  for (const chart of scene.charts) stretch(scene, chart, zoomed);
  const seen = scene.at !== null && scene.at >= scene.from && scene.at <= scene.to;
  point(scene, seen ? scene.at : null);
}

/** Zoom by a factor around the line, or around the middle. */
function zoomBy(scene, factor) {
  const { from, to } = scene;
  const around = scene.at ?? (from + to) / 2;
  const share = (around - from) / (to - from);
  const length = Math.max((to - from) * factor, scene.span * LEAST_SHARE);
  zoom(scene, around - share * length, around + (1 - share) * length);
}

function stretch(scene, chart, zoomed) {
  const length = scene.to - scene.from;
  for (const time of chart.svg.querySelectorAll("svg.time")) {
    time.setAttribute("x", zoomed ? `${(-100 * scene.from) / length}%` : "0");
    time.setAttribute("width", zoomed ? `${(100 * scene.span) / length}%` : "100%");
  }
  const y = chart.svg.querySelector(".time .tick")?.getAttribute("y") ?? "0";
  const ticks = zoomed ? ticksBetween(scene.from, scene.to) : [];
  chart.ticks.replaceChildren(
    ...ticks.map((at, place) => {
      const x = `${(100 * (at - scene.from)) / length}%`;
      const kind = place % 2 ? "tick minor" : "tick";
      const label = `${TICK_LABEL.format(at)} s`;
      return drawn(chart.svg, "text", { class: kind, x, y, "text-anchor": "middle" }, label);
    }),
  );
}

/** Round instants, evenly spaced. */
function ticksBetween(from, to) {
  const least = (to - from) / TICKS;
  const power = 10 ** Math.floor(Math.log10(least));
  const steps = least < 1 ? [1, 2, 5, 10].map((each) => each * power) : TICKS_S;
  const gap = steps.find((each) => each >= least) ?? least;
  const [first, last] = [Math.ceil(from / gap - 1e-9), Math.floor(to / gap + 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, place) => (first + place) * gap);
}

/** Zoom by dragging across a chart with a mouse or a pen; back by a double click. */
function watchDrag(scene, chart) {
  let began = null; // where the button went down, and at which instant
  let dragged = false;
  const plot = chart.plot;
  plot.addEventListener("pointerdown", (event) => {
    dragged = false;
    if (event.pointerType === "touch" || event.button !== 0) return;
    began = { x: event.clientX, at: instantUnder(scene, chart, event) };
  });
  plot.addEventListener("pointermove", (event) => {
    if (began === null) return;
    if (!dragged && Math.abs(event.clientX - began.x) < DRAG_PX) return;
    // The click that ends a drag then goes to the plot, and to nothing that is drawn on it.
    if (!dragged) plot.setPointerCapture(event.pointerId);
    dragged = true;
    mark(scene, began.at, instantUnder(scene, chart, event));
  });
  plot.addEventListener("pointerup", (event) => {
    if (began !== null && dragged) {
      const ends = [began.at, instantUnder(scene, chart, event)];
      zoom(scene, Math.min(...ends), Math.max(...ends));
    }
    began = null;
    mark(scene, 0, 0);
  });
  plot.addEventListener("pointercancel", () => {
    began = null;
    mark(scene, 0, 0);
  });
  plot.addEventListener("dblclick", () => zoom(scene, 0, scene.span));
}

/** Mark the stretch that is being chosen, in all charts. */
function mark(scene, one, other) {
  const length = scene.to - scene.from;
  const x = `${(100 * (Math.min(one, other) - scene.from)) / length}%`;
  const width = `${(100 * Math.abs(one - other)) / length}%`;
  for (const { band } of scene.charts) {
    band.setAttribute("x", x);
    band.setAttribute("width", width);
  }
}

function watchKeys(scene, chart) {
  const steps = { ArrowLeft: -1, ArrowRight: 1 };
  chart.plot.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const far = event.shiftKey ? FAR : 1;
    if (event.key in steps) step(scene, chart, steps[event.key] * far, event.shiftKey);
    else if (event.key === "+" || event.key === "=") zoomBy(scene, 1 / 2);
    else if (event.key === "-") zoomBy(scene, 2);
    else if (event.key === "Escape" && scene.to - scene.from < scene.span) zoom(scene, 0, scene.span);
    else if (event.key === "Escape") point(scene, null);
    else return;
    event.preventDefault();
  });
}
