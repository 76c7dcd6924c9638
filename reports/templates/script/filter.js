// Narrows the scorecard to one verdict, and to rows that hold the words that are typed.

const VERDICTS = ["all", "broken", "inconclusive", "held"];

function watchScorecard() {
  const first = document.querySelector("table.scorecard");
  if (first === null) return;
  const part = first.closest("section");
  const folded = part.querySelector("details.folded");
  const rows = [...part.querySelectorAll("table.scorecard tbody tr")].map((row) => ({
    row,
    verdict: VERDICTS.find((each) => row.querySelector(".verdict").classList.contains(each)),
    words: row.querySelector(".clause").textContent.toLowerCase(),
  }));

  let wanted = "all";
  const narrow = () => {
    const typed = text.value.toLowerCase().split(/\s+/);
    for (const { row, verdict, words } of rows) {
      const fits = wanted === "all" || verdict === wanted;
      row.hidden = !(fits && typed.every((each) => words.includes(each)));
    }
    const shown = rows.filter(({ row }) => !row.hidden);
    const asked = wanted !== "all" || text.value !== "";
    if (folded !== null) folded.open = asked && shown.some(({ row }) => folded.contains(row));
    count.textContent = `${shown.length} of ${rows.length} verdicts shown`;
    for (const [each, pressed] of Object.entries(buttons)) {
      pressed.setAttribute("aria-pressed", String(each === wanted));
    }
  };
  const buttons = Object.fromEntries(VERDICTS.map((each) => [each, verdictButton(each)]));
  function verdictButton(verdict) {
    const number = verdict === "all" ? rows.length : rows.filter((each) => each.verdict === verdict).length;
    return button(`${verdict} ${number}`, () => {
      wanted = verdict;
      narrow();
    });
  }
  const text = element("input", { type: "search", placeholder: "clause, words, scenario" });
  text.addEventListener("input", narrow);
  const label = element("label", {}, "with ", text);
  const count = element("output");
  const group = { class: "tools", role: "group", "aria-label": "Which verdicts are shown" };
  const tools = element("div", group, ...Object.values(buttons), label, count);
  [...part.children].find((each) => each.contains(first)).before(tools);
  narrow();
}
