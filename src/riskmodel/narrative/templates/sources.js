"use strict";
/* A panel that says where a number is from: its table, row and column, or how it was worked out. A click on a number
   opens it. A switch makes numbers stops of the Tab key: thousands of stops are for those who ask for them. */

function made(tag, attributes, words) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  if (words !== undefined) element.textContent = words;
  return element;
}

const numberSources = JSON.parse(document.getElementById("number-sources")?.textContent || "{}");

function counted(row) {
  return row.toLocaleString("en-GB");
}

/* The entries of the panel for one fact; null where the page knows nothing of it. */
function sourceOf(fact) {
  const found = /^([a-z0-9_]+)\.(\d+)\.(.+)$/.exec(fact);
  const [table, row, part] = found ? found.slice(1) : [];
  const single = numberSources.single?.[fact];
  if (single) return [["How it is made", single.words], ["Unit", single.unit]];
  if (!found || !numberSources.tables[table]) return null;
  const { file, columns } = numberSources.tables[table];
  const spreadsheet = file.endsWith(".csv");
  const at = Number(row) + (spreadsheet ? 2 : 1);
  const alike = numberSources.alike[`${table}.${part}`];
  const run = alike?.runs.find(([first, last]) => first <= Number(row) && Number(row) <= last);
  if (run) {
    const { words, unit } = alike.ways[run[2]];
    const said = words.map((piece) => (typeof piece === "string" ? piece : counted(piece < 0 ? at : Number(row) + run[3][piece])));
    return [["How it is made", said.join("")], ["Unit", unit]];
  }
  const names = part.split(".")[0].split("+");
  const told = names.map((name) => (columns[name]?.[0] ? `${name}: ${columns[name][0]}` : name));
  return [
    ["How it is made", "Read from a table, and rounded for reading"],
    ["Table", file],
    ["Row", `${counted(at)}, ${spreadsheet ? "where the headings are row 1" : "where the first row of values is row 1"}`],
    [names.length > 1 ? "Columns" : "Column", told.join("; ")],
    ["Unit", columns[names[0]]?.[1]],
  ];
}

class SourcePanel {
  constructor(switched, status) {
    this.switched = switched;
    this.status = status;
    this.dialog = made("dialog", { "aria-labelledby": "source-heading" });
    this.heading = made("h2", { id: "source-heading", tabindex: "-1", autofocus: "" }, "Where this number is from");
    this.list = made("dl", { class: "facts" });
    const close = made("button", { type: "button" }, "Close");
    close.addEventListener("click", () => this.dialog.close());
    this.dialog.append(this.heading, this.list, close);
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
    document.body.append(this.dialog);
    switched.addEventListener("click", () => this.turn());
    document.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("keydown", (event) => {
      if ((event.key === "Enter" || event.key === " ") && event.target.matches?.("data[role=button]")) this.clicked(event);
    });
  }

  get on() {
    return this.switched.getAttribute("aria-pressed") === "true";
  }

  turn() {
    this.switched.setAttribute("aria-pressed", String(!this.on));
    this.status.textContent = this.on ? "Choose any number, or go to it with the Tab key and press Enter. The Escape key closes what opens." : "";
    /* Tables put rows in and take them out. */
    this.watcher ??= new MutationObserver(() => this.mark());
    this.watcher.observe(document.getElementById("content"), { childList: true, subtree: true });
    this.mark();
  }

  mark() {
    for (const number of document.querySelectorAll("main data[data-fact]")) {
      /* What is a control already holds no second one. */
      if (this.on && !number.closest("summary, a, button, label")) {
        number.setAttribute("role", "button");
        number.setAttribute("aria-haspopup", "dialog");
        number.tabIndex = 0;
      } else if (number.hasAttribute("role")) {
        for (const name of ["role", "aria-haspopup", "tabindex"]) number.removeAttribute(name);
      }
    }
  }

  clicked(event) {
    const number = event.target.closest?.("main [data-fact]");
    /* Who marks text to copy it, or unfolds a table, asks for nothing else. */
    if (!number || !getSelection().isCollapsed || (!this.on && number.closest("summary, a, button, label"))) return;
    const source = sourceOf(number.dataset.fact);
    if (!source) return;
    event.preventDefault();
    const words = number.textContent;
    const full = number.getAttribute("value") ?? number.dataset.value ?? words;
    const shown = [
      ["Number", words],
      ["In full", full === words ? "" : full],
      ...source,
      ["Fact", number.dataset.fact],
      ["Run", numberSources.run],
      ["To check it", "riskmodel verify FOLDER, where FOLDER is the one that holds facts.json: every number of the pages is then worked out again"],
    ];
    this.list.replaceChildren(...shown.filter(([, said]) => said).flatMap(([term, said]) => [made("dt", {}, term), made("dd", {}, said)]));
    this.dialog.showModal();
    this.heading.focus();
  }
}

const follow = document.querySelector(".follow");
if (follow && numberSources.tables) {
  follow.hidden = false;
  new SourcePanel(follow.querySelector("button"), follow.querySelector("[role=status]"));
}
