// Colours that people with any kind of colour vision can tell apart. Categories: Okabe and Ito's
// eight (jfly.uni-koeln.de/color), in an order that keeps neighbours far apart. Amounts: YlGnBu
// of ColorBrewer (colorbrewer2.org), whose lightness changes evenly. Pure.

export const categorical = [
  "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a900", "#7a6fc2",
];
export const neutral = "#8a929c";
export const faint = "#b9c0c8";

const ramp = [
  [255, 255, 217], [237, 248, 177], [199, 233, 180], [127, 205, 187], [65, 182, 196],
  [29, 145, 192], [34, 94, 168], [37, 52, 148], [8, 29, 88],
];

/** A colour for a share of the largest amount, 0..1: the more, the further from the page's own
 *  lightness. */
export function sequential(share: number, dark: boolean): string {
  const amount = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0));
  const t = (dark ? 1 - amount : amount) * (ramp.length - 1);
  const i = Math.min(ramp.length - 2, Math.floor(t));
  const [a, b] = [ramp[i]!, ramp[i + 1]!];
  const mixed = a.map((value, k) => Math.round(value + (b[k]! - value) * (t - i)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/** Relative luminance (WCAG). */
export function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** White where it contrasts enough (4 : 1), else black. */
export function inkOn(hex: string): string {
  return 1.05 / (luminance(hex) + 0.05) >= 4 ? "#ffffff" : "#101418";
}

/** One colour a category; compute and leakage are always the greys. */
export function categoryColors(names: string[]): Map<string, string> {
  const colors = new Map<string, string>();
  let next = 0;
  for (const name of names) {
    colors.set(
      name,
      name === "compute" ? neutral : name === "leakage" ? faint : categorical[next++ % categorical.length]!,
    );
  }
  return colors;
}
