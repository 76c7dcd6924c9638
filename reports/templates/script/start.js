// Brings the page to life. Nothing that is added here is needed to read it.

/** One scenario: what the page tells of it, its charts, and what the cross-hair stands on. */
function sceneOf(section, told) {
  const charts = [...section.querySelectorAll("figure svg.chart")].map((svg) => chartOf(svg, told));
  const numeric = charts.flatMap(({ series }) => series.filter(({ states }) => !states));
  const finest = numeric.sort((one, other) => other.starts.length - one.starts.length)[0];
  return {
    section,
    charts,
    span: told.span_s,
    from: 0,
    to: told.span_s,
    at: null,
    windows: told.windows,
    steps: stepsOf(section, told.windows),
    replicas: told.states.map(({ name }) => name),
    buckets: finest?.starts ?? ticksBetween(0, told.span_s),
    spoken: element("p", { class: "spoken", "aria-live": "polite" }),
    status: element("p", { class: "hint", "aria-live": "polite" }, HINT),
    whole: element("button", { type: "button", hidden: "" }, "whole scenario"),
  };
}

function chartOf(svg, told) {
  const figure = svg.closest("figure");
  const title = figure.querySelector("figcaption b").textContent;
  const series = told.charts.find((each) => each.title === title)?.series ?? [];
  const lines = series.map(({ name, unit, axis, values }) => {
    return { name, unit, values, starts: told.axes[axis], states: false };
  });
  return {
    svg,
    title,
    plot: svg.parentElement,
    series: svg.classList.contains("replicas") ? [...lines, ...told.states.map(statesOf)] : lines,
    hair: drawn(svg, "line", { class: "hair", y1: "0", y2: "100%" }),
    band: drawn(svg, "rect", { class: "band", height: "100%", width: "0" }),
    ticks: drawn(svg, "svg", { class: "ticks", "aria-hidden": "true" }),
    readout: element("div", { class: "readout", "aria-hidden": "true" }),
  };
}

/** The states of one replica, as a series whose values are words. */
function statesOf({ name, at_s, words }) {
  return { name, unit: "", values: words, starts: at_s, states: true };
}

function start(scene) {
  for (const chart of scene.charts) {
    chart.svg.append(chart.ticks, chart.band, chart.hair);
    chart.plot.append(chart.readout);
    chart.plot.tabIndex = 0;
    chart.plot.setAttribute("role", "application");
    const label = `${chart.title}. ${chart.svg.getAttribute("aria-label")}`;
    chart.plot.setAttribute("aria-label", label);
    watchPointer(scene, chart);
    watchDrag(scene, chart);
    watchKeys(scene, chart);
  }
  scene.whole.addEventListener("click", () => {
    zoom(scene, 0, scene.span);
    scene.charts[0].plot.focus();
  });
  const tools = element("div", { class: "tools charts" }, scene.status, scene.whole, scene.spoken);
  scene.charts[0].svg.closest("figure").before(tools);
  watchClicks(scene, watchEvents(scene));
}

for (const payload of document.querySelectorAll("script.payload")) {
  const scene = sceneOf(payload.closest("section"), JSON.parse(payload.textContent));
  if (scene.charts.length) start(scene);
}
watchScorecard();
watchCommands();
