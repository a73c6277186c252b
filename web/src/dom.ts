// Elements in one expression. Text is always set as text, never as HTML: names come from model
// files and may hold anything.

type Child = Node | string | null | false;
type Attributes = Record<string, string | number | boolean | ((event: Event) => void)>;

function apply(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name.replace(/^on/, ""), value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false) {
      element.setAttribute(name, String(value));
    }
  }
}

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  apply(element, attributes);
  element.append(...children.filter((child): child is Node | string => child !== null && child !== false));
  return element;
}

export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  apply(element, attributes);
  element.append(...children.filter((child): child is Node | string => child !== null && child !== false));
  return element;
}

/** A titled block of a view. `aside` stands right of the title. */
export function section(title: string, aside: Child[], ...children: Child[]): HTMLElement {
  return h(
    "section",
    { class: "panel" },
    h("div", { class: "panel-head" }, h("h2", {}, title), h("div", { class: "tools" }, ...aside)),
    ...children,
  );
}

/** A labelled choice. */
export function choice(
  label: string,
  options: [string, string][],
  value: string,
  onChange: (value: string) => void,
): HTMLElement {
  const select = h("select", { "aria-label": label, onchange: () => onChange(select.value) });
  for (const [key, text] of options) {
    select.append(h("option", { value: key, selected: key === value }, text));
  }
  return h("label", { class: "choice" }, h("span", {}, label), select);
}

/** A number with its exact value as the tooltip and, for tests and scripts, in `data-v`. */
export function number(value: number, text: string, exactText: string): HTMLElement {
  return h("span", { "data-v": value, title: exactText }, text);
}
