// Light or dark: the system's wish until the reader presses the button, then the reader's. Kept in
// localStorage where the browser allows that for files.

export type Theme = "light" | "dark";
const key = "sluice-report";
let chosen: Theme | null = null;
let usePatterns = false;
const system = window.matchMedia("(prefers-color-scheme: dark)");

function remember(): void {
  try {
    localStorage.setItem(key, JSON.stringify({ theme: chosen, patterns: usePatterns }));
  } catch {
    // Storage is switched off: the choice lasts as long as the page.
  }
}

export function isDark(): boolean {
  return chosen === null ? system.matches : chosen === "dark";
}

/** Whether bars also carry patterns. */
export function patterns(): boolean {
  return usePatterns;
}

function show(): void {
  document.documentElement.dataset["theme"] = isDark() ? "dark" : "light";
}

export function startTheme(onChange: () => void): void {
  try {
    const stored = JSON.parse(localStorage.getItem(key) ?? "{}") as { theme?: Theme | null; patterns?: boolean };
    chosen = stored.theme === "light" || stored.theme === "dark" ? stored.theme : null;
    usePatterns = stored.patterns === true;
  } catch {
    chosen = null;
  }
  show();
  system.addEventListener("change", () => {
    show();
    onChange();
  });
}

export function toggleTheme(): void {
  chosen = isDark() ? "light" : "dark";
  remember();
  show();
}

export function togglePatterns(): void {
  usePatterns = !usePatterns;
  remember();
}
