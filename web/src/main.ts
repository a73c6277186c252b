// Entry: reads the data, draws the frame, follows the address (`#plan/view/argument`).

import { dropCharts, redrawCharts } from "./charts";
import { makeReport } from "./derive";
import { h } from "./dom";
import { startKeyboard } from "./keyboard";
import { parsePayload } from "./payload";
import { startTheme, togglePatterns, toggleTheme } from "./theme";
import { planNames, type Context, type View } from "./view";
import { architectureView } from "./views/architecture";
import { compareView } from "./views/compare";
import { energyView } from "./views/energy";
import { graphView } from "./views/graph";
import { latencyView } from "./views/latency";
import { operatorView } from "./views/operator";
import { operatorsView } from "./views/operators";
import { provenanceView } from "./views/provenance";
import { rooflineView } from "./views/roofline";
import { summary } from "./views/summary";
import { utilisationView } from "./views/utilisation";

const single: View[] = [
  summary, operatorsView, energyView, latencyView, rooflineView, utilisationView, graphView, operatorView,
  architectureView, provenanceView,
];

function start(): void {
  const payload = parsePayload(document.getElementById("report-data")!.textContent ?? "");
  const reports = payload.reports.map(makeReport);
  const views = reports.length === 2 ? [compareView, ...single] : single;
  const main = h("main", { id: "main", tabindex: "-1" });
  const tabs = h("nav", { "aria-label": "Views" });
  const title = h("div", { class: "title" });
  const switcher = h("div", { class: "switcher", role: "group", "aria-label": "Plan" });
  let drawn = "";

  const hash = (plan: number, view: string, argument: string | number = "") =>
    `#${plan}/${view}${argument === "" ? "" : `/${argument}`}`;

  function place(): { plan: number; view: View; argument: string } {
    const [plan = "", key = "", argument = ""] = location.hash.slice(1).split("/");
    return {
      plan: Number(plan) === 1 && reports.length === 2 ? 1 : 0,
      view: views.find((item) => item.key === key) ?? views[0]!,
      argument,
    };
  }

  function show(): void {
    const { plan, view, argument } = place();
    const report = reports[plan]!;
    const context: Context = {
      reports,
      current: plan,
      report,
      argument,
      href: (key, next) => hash(plan, key, next),
      go: (key, next) => {
        location.hash = hash(plan, key, next);
      },
    };
    dropCharts();
    const { plan: data } = report.data;
    title.replaceChildren(
      h("strong", {}, report.name),
      h("span", { class: "muted" }, ` on ${data.architecture}, ${data.provenance.mapper} for ${data.provenance.objective}`),
    );
    document.title = `${report.name} on ${data.architecture}: ${view.title}`;
    tabs.replaceChildren(...views.map((item, index) =>
      h("a", {
        href: hash(plan, item.key),
        ...(item === view ? { "aria-current": "page" } : {}),
        title: `${item.title}  ( ${index < 9 ? index + 1 : "0"} )`,
      }, item.title)));
    switcher.replaceChildren(...(reports.length === 2 && view !== compareView
      ? planNames.map((name, index) =>
          h("a", { href: hash(index, view.key, view.key === "operator" ? twin(argument, plan, index) : ""), class: "button",
            ...(index === plan ? { "aria-current": "true" } : {}),
            title: `Plan ${name}: ${reports[index]!.name} on ${reports[index]!.data.plan.architecture}` }, name))
      : []));
    main.replaceChildren(h("h1", { class: "visually-hidden" }, view.title), ...view.draw(context));
    main.dataset["view"] = view.key;
    // Which address is drawn: it runs behind `location` until the event has come.
    main.dataset["at"] = location.hash;
    tabs.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    // A new page starts at its top; another operator of the same view does not move the reader.
    if (drawn !== view.key) {
      window.scrollTo(0, 0);
    }
    drawn = view.key;
  }

  /** The operator of the same name in the other plan. */
  function twin(argument: string, from: number, to: number): string {
    const name = reports[from]!.ops[Number(argument)]?.name;
    const index = argument === "" ? -1 : reports[to]!.ops.findIndex((op) => op.name === name);
    return index < 0 ? "" : String(index);
  }

  const help = h("dialog", { "aria-label": "Keyboard" },
    h("h2", {}, "Keyboard"),
    h("dl", { class: "keys" }, ...[
      ["1 … 9, 0", "go to a view"],
      ["← →", "previous and next view; previous and next operator in Operator"],
      ["/", "filter the table"],
      ["b", "the other plan, when there are two"],
      ["t", "light or dark"],
      ["p", "patterns on bars"],
      ["?", "this list"],
    ].map(([key, text]) => h("div", {}, h("dt", {}, h("kbd", {}, key!)), h("dd", {}, text!)))),
    h("form", { method: "dialog" }, h("button", { type: "submit" }, "Close")));

  const redraw = () => {
    redrawCharts();
    // Its colours are attributes, not styles.
    if (place().view === graphView) {
      show();
    }
  };
  const onTheme = () => {
    toggleTheme();
    redraw();
  };
  const onPatterns = () => {
    togglePatterns();
    redrawCharts();
  };
  document.body.prepend(
    h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, "Skip to the content"),
    h("header", {},
      h("div", { class: "brand" }, h("span", { class: "mark", "aria-hidden": "true" }), "Sluice"),
      title,
      switcher,
      h("div", { class: "buttons" },
        h("button", { type: "button", title: "Patterns on bars  ( p )", "aria-label": "Patterns on bars", onclick: onPatterns }, "▨"),
        h("button", { type: "button", id: "theme", title: "Light or dark  ( t )", "aria-label": "Light or dark", onclick: onTheme }, "◐"),
        h("button", { type: "button", title: "Keyboard  ( ? )", "aria-label": "Keyboard help", onclick: () => help.showModal() }, "?"))),
    tabs,
    main,
    help,
  );
  startTheme(redraw);
  startKeyboard({
    toView: (index) => {
      const view = views[index];
      if (view) {
        location.hash = hash(place().plan, view.key);
      }
    },
    step: (by) => {
      const { plan, view } = place();
      const target = main.querySelector<HTMLAnchorElement>(`[data-step="${by}"]`);
      if (view === operatorView && target) {
        location.hash = target.hash;
      } else {
        const next = views[(views.indexOf(view) + by + views.length) % views.length]!;
        location.hash = hash(plan, next.key);
      }
    },
    otherPlan: () => {
      switcher.querySelector<HTMLAnchorElement>("a:not([aria-current])")?.click();
    },
    theme: onTheme,
    patterns: onPatterns,
    help: () => (help.open ? help.close() : help.showModal()),
    filter: () => main.querySelector<HTMLInputElement>("input.filter")?.focus(),
  });
  window.addEventListener("hashchange", show);
  show();
}

try {
  start();
} catch (error) {
  // The data is broken or from another version: say so on the page instead of showing nothing.
  document.body.prepend(h("p", { class: "panel", role: "alert" }, `This report cannot be shown: ${String(error)}`));
  throw error;
}
