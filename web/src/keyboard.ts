// Keys of the whole page. Nothing is taken from a field that is being typed into, nor from the
// browser's own combinations.

export interface Actions {
  toView(index: number): void;
  step(by: -1 | 1): void;
  otherPlan(): void;
  theme(): void;
  patterns(): void;
  help(): void;
  filter(): void;
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}

/** Arrow keys scroll inside these. */
function scrolls(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.scrollWidth > target.clientWidth && target.tabIndex >= 0 && target !== document.body;
}

export function startKeyboard(actions: Actions): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (typing(event.target)) {
      if (event.key === "Escape" && event.target instanceof HTMLInputElement) {
        event.target.blur();
      }
      return;
    }
    if (/^[0-9]$/.test(event.key)) {
      actions.toView(event.key === "0" ? 9 : Number(event.key) - 1);
      return;
    }
    switch (event.key) {
      case "ArrowLeft":
      case "ArrowRight":
        if (!scrolls(event.target)) {
          actions.step(event.key === "ArrowLeft" ? -1 : 1);
          event.preventDefault();
        }
        break;
      case "b":
        actions.otherPlan();
        break;
      case "t":
        actions.theme();
        break;
      case "p":
        actions.patterns();
        break;
      case "?":
        actions.help();
        break;
      case "/":
        actions.filter();
        event.preventDefault();
        break;
    }
  });
}
