"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const form = byId("find"), found = byId("found"), orders = byId("t-orders");
  const fields = ["q", "supplier", "stage", "risk"].map(byId);
  const tables = [...document.querySelectorAll("table.rows")];
  const periods = byId("periods");
  const LAST_OF_PAGE = 25, FEW = 25, PERIOD = "90";

  /* What is searched: a row, and for an order its parts as well. Made at the first search. */
  let texts = null;
  const rowsOf = (table) => [...table.tBodies[0].rows];
  const linesOf = (row) => {
    const link = row.querySelector('a[href^="#order-"]');
    return link && document.getElementById(link.getAttribute("href").slice(1));
  };
  const all = tables.map((table) => ({ table, rows: rowsOf(table) }));
  const lines = new Map();
  if (orders) for (const row of rowsOf(orders)) lines.set(row, linesOf(row));
  const textOf = (row) => {
    texts ??= new Map();
    let text = texts.get(row);
    if (text === undefined) {
      text = (row.textContent + " " + (row.dataset.p || "")).toLowerCase();
      texts.set(row, text);
    }
    return text;
  };

  const filter = () => {
    const [q, supplier, stage, risk] = fields.map((field) => field.value.trim());
    const words = q.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0, total = 0;
    for (const { table, rows } of all) {
      const main = table === orders;
      let left = 0;
      for (const row of rows) {
        const fits = (!supplier || row.dataset.s === supplier)
          && (!main || ((!stage || row.dataset.t === stage) && (!risk || (row.dataset.r || "").split(" ").includes(risk))))
          && (!words.length || words.every((word) => textOf(row).includes(word)));
        if (row.hidden === fits) row.hidden = !fits;
        if (main) {
          const article = lines.get(row);
          if (article && article.hidden === fits) article.hidden = !fits;
        }
        left += fits;
      }
      const section = table.closest("section");
      let empty = table.parentElement.parentElement.querySelector(":scope > .no-match");
      if (left === 0 && rows.length && !empty) {
        empty = document.createElement("p");
        empty.className = "none no-match";
        empty.textContent = "Nothing here fits the search.";
        table.parentElement.after(empty);
      }
      if (empty) empty.hidden = left > 0;
      if (section && section.querySelector(".count")) {
        const count = section.querySelector(".count");
        count.dataset.all ??= count.textContent;
        count.textContent = left === rows.length ? count.dataset.all : left + " of " + count.dataset.all;
      }
      if (main) [shown, total] = [left, rows.length];
    }
    const active = q || supplier || stage || risk;
    found.textContent = active ? shown + " of " + total + " open orders fit" : "";
    document.body.classList.toggle("few", shown <= FEW);
    breakPages();
  };

  /* 25 of the orders that are shown on each printed page. */
  const breakPages = () => {
    if (!orders) return;
    let count = 0;
    for (const row of orders.tBodies[0].rows) {
      if (row.hidden) continue;
      count += 1;
      row.classList.toggle("last", count % LAST_OF_PAGE === 0);
    }
  };

  const keyOf = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.v ?? cell.textContent.trim();
    return text === "–" || text === "-" ? "" : text;
  };
  const order = new Intl.Collator("en", { numeric: true });
  let sorted = "";
  const sort = (table, column, up) => {
    const heads = [...table.tHead.rows[0].cells];
    if (!heads[column] || !heads[column].querySelector("button")) return;
    const numbers = heads[column].classList.contains("n");
    const value = (row) => {
      const key = keyOf(row, column);
      return numbers ? (Number.isNaN(parseFloat(key)) ? -Infinity : parseFloat(key)) : key;
    };
    const keyed = rowsOf(table).map((row) => [value(row), row]);
    keyed.sort(([a], [b]) => {
      /* Empty cells come last in both directions. */
      const emptyA = a === "" || a === -Infinity, emptyB = b === "" || b === -Infinity;
      if (emptyA || emptyB) return emptyA - emptyB;
      return (up ? 1 : -1) * (numbers ? a - b : order.compare(a, b));
    });
    table.tBodies[0].append(...keyed.map(([, row]) => row));
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[column].setAttribute("aria-sort", up ? "ascending" : "descending");
    sorted = [table.id, column, up ? "up" : "down"].join(".");
    if (table === orders) breakPages();
  };

  const choose = (period) => {
    if (!periods) return;
    document.body.classList.add("choosing");
    for (const button of periods.children) button.setAttribute("aria-pressed", String(button.dataset.period === period));
    for (const part of document.querySelectorAll("div.period")) part.classList.toggle("chosen", part.dataset.period === period);
  };
  const chosen = () => document.querySelector("div.period.chosen")?.dataset.period || PERIOD;

  const remember = () => {
    const query = new URLSearchParams();
    for (const field of fields) if (field.value.trim()) query.set(field.name, field.value.trim());
    if (sorted) query.set("sort", sorted);
    if (periods && chosen() !== PERIOD) query.set("days", chosen());
    const text = query.toString();
    try {
      history.replaceState(null, "", (text ? "?" + text : location.pathname) + location.hash);
    } catch {
      /* Opened in a place where the address cannot change: the page works, and is not remembered. */
    }
  };
  const recall = () => {
    const query = new URLSearchParams(location.search);
    for (const field of fields) field.value = query.get(field.name) || "";
    for (const field of fields) if (field.selectedIndex === -1) field.value = "";
    const [id, column, way] = (query.get("sort") || "").split(".");
    const table = tables.find((each) => each.id === id);
    if (table) sort(table, Number(column), way !== "down");
    const days = query.get("days");
    choose(periods && [...periods.children].some((each) => each.dataset.period === days) ? days : PERIOD);
    filter();
  };

  let waiting = 0;
  const changed = () => { filter(); remember(); };
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(changed, 120); });
  form.addEventListener("submit", (event) => { event.preventDefault(); changed(); });
  form.addEventListener("reset", () => setTimeout(changed, 0));
  document.addEventListener("click", (event) => {
    const head = event.target.closest("table.rows thead button");
    if (head) {
      const cell = head.parentElement;
      sort(cell.closest("table"), cell.cellIndex, cell.getAttribute("aria-sort") !== "ascending");
      remember();
    }
    const period = event.target.closest("#periods button");
    if (period) { choose(period.dataset.period); remember(); }
    const risk = event.target.closest("a[data-risk]");
    if (risk) {
      event.preventDefault();
      fields[3].value = risk.dataset.risk;
      changed();
      location.hash = "orders";
    }
  });

  form.hidden = false;
  if (periods) periods.hidden = false;
  recall();
})();
