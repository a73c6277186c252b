// A table that sorts by any column, filters by text, exports itself as CSV and is driven by the
// keyboard: headers are buttons, rows that lead somewhere hold a link.

import { download, toCsv, type CsvCell } from "./csv";
import { h } from "./dom";
import { exact } from "./format";

export interface Column<Row> {
  title: string;
  /** what sorts and what the CSV holds */
  value: (row: Row) => CsvCell;
  /** what is shown, for numbers; strings show their value */
  text?: (value: number, row: Row) => string;
  /** a bar behind the number, 0..1 */
  bar?: (row: Row) => number;
  /** where the cell leads */
  link?: (row: Row) => string | null;
  /** a colour chip before the text */
  chip?: (row: Row) => string;
  hint?: string;
}

export interface TableOptions<Row> {
  name: string;
  columns: Column<Row>[];
  rows: Row[];
  /** column and direction at first; in the given order without it */
  sort?: { column: number; descending: boolean };
  filter?: boolean;
  /** rows shown before "show all" */
  limit?: number;
}

function compare(a: CsvCell, b: CsvCell): number {
  if (typeof a === "number" && typeof b === "number") {
    return a - b;
  }
  if (a === null || b === null) {
    return a === b ? 0 : a === null ? -1 : 1;
  }
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

function cell<Row>(column: Column<Row>, row: Row, right: boolean): HTMLElement {
  const value = column.value(row);
  const numeric = typeof value === "number";
  const td = h("td", { class: right ? "num" : "" });
  if (numeric) {
    td.dataset["v"] = String(value);
    td.title = exact(value);
    td.classList.toggle("zero", value === 0 && column.text !== undefined);
  } else if (value !== null) {
    td.title = String(value);
  }
  if (column.bar) {
    const width = Math.min(1, Math.max(0, column.bar(row))) * 100;
    td.classList.add("has-bar");
    td.style.setProperty("--bar", `${width.toFixed(2)}%`);
  }
  const text = value === null ? "–" : numeric ? (column.text?.(value, row) ?? exact(value)) : String(value);
  const target = column.link?.(row) ?? null;
  const chip = column.chip?.(row);
  td.append(
    ...(chip ? [h("i", { class: "chip", style: `background:${chip}`, "aria-hidden": "true" })] : []),
    target === null ? text : h("a", { href: target }, text),
  );
  return td;
}

export function table<Row>(options: TableOptions<Row>): HTMLElement {
  let sort = options.sort ?? null;
  let wanted = "";
  let all = options.limit === undefined || options.rows.length <= options.limit + 5;
  const body = h("tbody");
  const status = h("span", { class: "muted", role: "status" });
  const more = h("button", { class: "more", type: "button", onclick: () => { all = true; fill(); } });
  const numericColumn = options.columns.map((column) =>
    options.rows.some((row) => typeof column.value(row) === "number"),
  );
  const headers = options.columns.map((column, index) => {
    const button = h(
      "button",
      { type: "button", title: column.hint ?? `Sort by ${column.title}`, onclick: () => sortBy(index) },
      column.title,
    );
    return h("th", { scope: "col", class: numericColumn[index] ? "num" : "" }, button);
  });

  function sortBy(index: number): void {
    const again = sort?.column === index;
    sort = { column: index, descending: again ? !sort!.descending : numericColumn[index]! };
    fill();
  }

  function selected(): Row[] {
    const words = wanted.toLowerCase().split(/\s+/).filter((word) => word !== "");
    const rows = options.rows.filter((row) => {
      const text = options.columns
        .map((column) => column.value(row))
        .filter((value) => typeof value === "string")
        .join(" ")
        .toLowerCase();
      return words.every((word) => text.includes(word));
    });
    if (sort) {
      const column = options.columns[sort.column]!;
      const sign = sort.descending ? -1 : 1;
      rows.sort((a, b) => sign * compare(column.value(a), column.value(b)));
    }
    return rows;
  }

  function fill(): void {
    const rows = selected();
    const shown = all ? rows : rows.slice(0, options.limit);
    headers.forEach((header, index) => {
      const own = sort?.column === index;
      header.setAttribute("aria-sort", own ? (sort!.descending ? "descending" : "ascending") : "none");
    });
    body.replaceChildren(
      ...shown.map((row) => h("tr", {}, ...options.columns.map((column, index) => cell(column, row, numericColumn[index]!)))),
    );
    more.textContent = `Show all ${rows.length}`;
    more.hidden = shown.length === rows.length;
    status.textContent =
      rows.length === options.rows.length ? `${rows.length} rows` : `${rows.length} of ${options.rows.length} rows`;
  }

  function save(): void {
    download(
      `${options.name}.csv`,
      toCsv(
        options.columns.map((column) => column.title),
        selected().map((row) => options.columns.map((column) => column.value(row))),
      ),
    );
  }

  const input = h("input", {
    type: "search",
    class: "filter",
    placeholder: "Filter  ( / )",
    "aria-label": "Filter rows",
    oninput: () => {
      wanted = input.value;
      fill();
    },
  });
  fill();
  return h(
    "div",
    { class: "table", "data-table": options.name },
    h(
      "div",
      { class: "table-tools" },
      options.filter ? input : null,
      status,
      h("button", { type: "button", class: "csv", title: "Save this table as CSV", onclick: save }, "CSV"),
    ),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": `Table ${options.name}` },
      h("table", {}, h("thead", {}, h("tr", {}, ...headers)), body),
    ),
    more,
  );
}
