/* Tables that sort, filter and turn pages, and maps whose places are chosen by typing. Without it every page still
   reads: headings, answers, pictures and the first rows of each table are in the page itself. */

const MINUS = "\u2212";

/* A number in packed text carries the fact it is: U+E000 id U+E001 words U+E002; a name's digits lie in U+E003 U+E004.
   Between U+E005 and U+E006 the fact follows from the row and the column. */
const MARKS = /\ue000([^\ue001]*)\ue001([^\ue002]*)\ue002|\ue003([^\ue004]*)\ue004|\ue005([^\ue006]*)\ue006/g;

function plain(text) {
  return text.replace(MARKS, (all, fact, words, name, light) => words ?? name ?? light);
}

function fill(element, text, facts = []) {
  let at = 0, light = 0;
  for (const found of text.matchAll(MARKS)) {
    element.append(text.slice(at, found.index));
    const words = found[2] ?? found[3] ?? found[4];
    const fact = found[1] ?? (found[4] === undefined ? undefined : facts[light++]);
    element.append(fact === undefined ? words : made("data", { "data-fact": fact, value: words }, words));
    at = found.index + found[0].length;
  }
  element.append(text.slice(at));
  return element;
}

const WITHOUT_ORDER = /^(suppressed|not available|not ranked|not held|missing|count only|base below|no number)/;

function orderOf(words, orders) {
  if (words in orders) return orders[words];
  const number = /^[+\u2212-]?[\d,]+(\.\d+)?/.exec(words);
  if (number) return parseFloat(number[0].replace(/,/g, "").replace(MINUS, "-"));
  if (words === "under 0.1") return 0.05;
  return !words || WITHOUT_ORDER.test(words) ? null : words.toLowerCase();
}

function compared(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === typeof b) return a.localeCompare(b, "en-GB", { numeric: true });
  return typeof a === "number" ? -1 : 1;
}

const shared = JSON.parse(document.getElementById("words")?.textContent || "[]");

class DataTable {
  constructor(box) {
    this.box = box;
    this.table = box.querySelector("table");
    this.body = this.table.tBodies[0];
    const packed = box.querySelector("script.packed");
    const held = packed ? JSON.parse(packed.textContent) : {};
    this.orders = held.orders || {};
    this.styles = held.styles || {};
    this.rows = [
      ...[...this.body.rows].map((row) => ({
        cells: [...row.cells].map((cell) => cell.textContent.trim()), place: row.dataset.place, element: row,
      })),
      ...(held.rows || []).map((cells, position) => {
        const texts = cells.map((cell) => [cell].flat().map((piece) => (typeof piece === "number" ? shared[piece] : piece)).join(""));
        return {
          texts, cells: texts.map(plain), place: held.places?.[position], marked: held.marked?.includes(position),
          facts: (column) => {
            const named = held.facts?.[column] || [];
            const listed = held.lists?.[column]?.[position];
            if (listed) return listed.map((at) => `${named[0][0]}.${at}.${named[0][1]}`);
            return named.map(([table, part, beyond = 0]) => `${table}.${held.at[table][position] + beyond}.${part}`);
          },
        };
      }),
    ];
    this.rows.forEach((row, position) => { row.position = position; });
    this.shown = this.rows;
    this.size = Number(box.dataset.page) || Infinity;
    this.at = 0;
    this.filters = [];
    box.querySelector(".rest")?.remove();
    this.heads = [...this.table.tHead.rows[0].cells];
    this.heads.forEach((head, column) => this.makeSortable(head, column));
    this.status = made("p", { role: "status" });
    this.makeControls();
    this.makePages();
    this.show(false);
  }

  elementOf(row) {
    if (row.element) return row.element;
    row.element = made("tr", row.marked ? { class: "marked" } : {});
    row.cells.forEach((words, column) => {
      const style = this.styles[words];
      const cell = made(column ? "td" : "th", { ...(column ? {} : { scope: "row" }), ...(style ? { class: style } : {}) });
      row.element.append(fill(cell, row.texts[column], row.facts(column)));
    });
    return row.element;
  }

  orderIn(row, column) {
    return orderOf(row.cells[column], this.orders);
  }

  makeSortable(head, column) {
    if (head.hasAttribute("data-still")) return;
    const unit = head.querySelector(".unit");
    unit?.remove();
    const words = head.textContent.trim();
    // A button is not repeated where a printed table goes on over the page; the words are.
    head.dataset.words = words;
    const button = made("button", { type: "button" }, words);
    head.replaceChildren(button, ...(unit ? [unit] : []));
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => this.sort(column));
  }

  makeControls() {
    const controls = this.box.querySelector(".controls");
    const columns = this.box.dataset.filters ? this.box.dataset.filters.split(" ").map(Number) : [];
    const searched = this.rows.length > (columns.length ? 8 : 15);
    if (!searched && !columns.length) return;
    const id = this.table.id;
    if (searched) {
      this.search = made("input", { type: "search", id: `${id}-search`, autocomplete: "off" });
      this.search.addEventListener("input", () => this.filter());
      controls.append(this.labelled("Search by name or code", this.search));
    }
    for (const column of columns) {
      const select = made("select", { id: `${id}-filter-${column}` });
      select.append(made("option", { value: "" }, "All"));
      const values = new Map(this.rows.map((row) => [row.cells[column], this.orderIn(row, column)]));
      const known = [...values].filter(([words]) => words).sort((a, b) => compared(a[1] ?? "", b[1] ?? ""));
      if (known.length < 2) continue;
      for (const [words] of known) select.append(made("option", { value: words }, words));
      select.addEventListener("change", () => this.filter());
      this.filters.push({ column, select });
      controls.append(this.labelled(this.wordsOf(column), select));
    }
    controls.hidden = false;
  }

  labelled(words, control) {
    const box = made("div");
    box.append(made("label", { for: control.id }, words), control);
    return box;
  }

  wordsOf(column) {
    const head = this.heads[column];
    return (head.querySelector("button") || head).textContent.trim();
  }

  makePages() {
    const pages = this.box.querySelector(".pages");
    const caption = this.table.caption.textContent.trim();
    const turn = (words, by) => {
      const button = made("button", { type: "button" }, words);
      button.append(made("span", { class: "unseen" }, ` of ${caption}`));
      button.addEventListener("click", () => {
        if (button.getAttribute("aria-disabled") === "true") return;
        this.at += by * this.size;
        this.show(true);
      });
      return button;
    };
    if (this.rows.length > this.size) {
      this.back = turn("Previous rows", -1);
      this.next = turn("Next rows", 1);
      pages.append(this.back, this.status, this.next);
    } else {
      pages.append(this.status);
    }
    pages.hidden = false;
  }

  filter() {
    const words = this.search ? this.search.value.trim().toLowerCase() : "";
    const chosen = this.filters.filter(({ select }) => select.value);
    this.shown = this.rows.filter((row) =>
      chosen.every(({ column, select }) => row.cells[column] === select.value) &&
      (!words || `${row.cells[0]} ${row.cells[1]}`.toLowerCase().includes(words)));
    this.at = 0;
    this.show(true);
  }

  sort(column) {
    const head = this.heads[column];
    const direction = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    const sign = direction === "ascending" ? 1 : -1;
    const keyed = this.rows.map((row) => ({ row, key: this.orderIn(row, column) }));
    keyed.sort((a, b) => {
      const first = a.key === null || b.key === null ? (a.key === null) - (b.key === null) : sign * compared(a.key, b.key);
      return first || a.row.position - b.row.position;
    });
    this.rows = keyed.map((entry) => entry.row);
    for (const other of this.heads) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", direction);
    this.sorted = `, sorted by ${this.wordsOf(column)}, ${direction}`;
    this.filter();
  }

  show(said) {
    const last = Math.min(this.at + this.size, this.shown.length);
    this.body.replaceChildren(...this.shown.slice(this.at, last).map((row) => this.elementOf(row)));
    const all = this.shown.length.toLocaleString("en-GB");
    const of = this.shown.length < this.rows.length ? ` of ${this.rows.length.toLocaleString("en-GB")}` : "";
    const part = last - this.at < this.shown.length ? `Rows ${this.at + 1} to ${last} of ${all}` : `${all} ${this.shown.length === 1 ? "row" : "rows"}`;
    const words = this.shown.length ? part + (part.startsWith("Rows") ? "" : of) : "No row fits. Change the search or the choice.";
    if (said || this.rows.length > this.size) this.status.textContent = words + (this.sorted || "");
    this.back?.setAttribute("aria-disabled", String(this.at === 0));
    this.next?.setAttribute("aria-disabled", String(last >= this.shown.length));
  }
}

class PlaceMap {
  constructor(figure, tables) {
    this.figure = figure;
    this.data = tables.get(figure.querySelector(".data"));
    this.paths = new Map([...figure.querySelectorAll("path[data-code]")].map((path) => [path.dataset.code, path]));
    this.rows = new Map(this.data.rows.map((row) => [row.place, row]));
    this.options = [...figure.querySelectorAll("datalist option")];
    this.input = figure.querySelector("[data-find]");
    this.chosen = figure.querySelector("[data-chosen]");
    figure.querySelector(".find").hidden = false;
    this.input.addEventListener("input", () => this.typed(false));
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); this.typed(true); }
    });
    for (const [code, path] of this.paths) path.addEventListener("click", () => this.choose(code));
  }

  typed(asked) {
    const words = this.input.value.trim().toLowerCase();
    if (!words) { this.choose(null); return; }
    const found = this.options.find((option) => option.value.toLowerCase() === words) ||
      (asked && this.options.find((option) => option.value.toLowerCase().includes(words)));
    if (found) this.choose(found.dataset.code);
    else if (asked) { this.choose(null); this.chosen.textContent = `No place here has "${this.input.value}" in its name.`; }
  }

  choose(code) {
    this.path?.classList.remove("chosen-area");
    if (this.row) this.data.elementOf(this.row).classList.remove("chosen-row");
    this.path = this.paths.get(code);
    this.row = this.rows.get(code);
    this.chosen.replaceChildren();
    if (!this.row) return;
    if (this.path) {
      this.path.classList.add("chosen-area");
      this.path.parentNode.insertBefore(this.path, this.path.parentNode.querySelector(".border, text"));
    }
    this.data.elementOf(this.row).classList.add("chosen-row");
    const list = made("dl");
    const row = this.row;
    row.cells.slice(1).forEach((words, position) => {
      const text = row.texts?.[position + 1] ?? words;
      if (words) list.append(made("dt", {}, this.data.wordsOf(position + 1)), fill(made("dd"), text, row.facts?.(position + 1)));
    });
    this.chosen.append(made("p", {}, this.row.cells[0]), list);
  }
}

const tables = new Map([...document.querySelectorAll(".data")].map((box) => [box, new DataTable(box)]));
for (const figure of document.querySelectorAll("[data-map]")) new PlaceMap(figure, tables);
/* On a narrow screen a picture of time begins at its newest end. */
for (const box of document.querySelectorAll(".chart .scroll")) box.scrollLeft = box.scrollWidth;
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details:not([open])")) { folded.open = true; folded.dataset.wasFolded = ""; }
});
addEventListener("afterprint", () => {
  for (const folded of document.querySelectorAll("details[data-was-folded]")) { folded.open = false; delete folded.dataset.wasFolded; }
});
