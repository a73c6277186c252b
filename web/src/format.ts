// Numbers as people read them: four significant digits and a unit. The exact value is always at
// hand too (`exact`), as the tooltip of a cell and in every CSV file.

const thin = "\u202f";

/** At most four significant digits, no exponent between 1e-3 and 1e6. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) {
    return "–";
  }
  if (value === 0) {
    return "0";
  }
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) {
    return value.toExponential(3);
  }
  return String(Number(value.toPrecision(4)));
}

function scaled(value: number, unit: string, steps: [number, string][]): string {
  if (!Number.isFinite(value)) {
    return "–";
  }
  if (value === 0) {
    return unit === "" ? "0" : `0${thin}${unit}`;
  }
  // 999.96 rounds to 1000: compare what will be printed.
  const size = Math.abs(Number(value.toPrecision(4)));
  const step = steps.find(([factor]) => size >= factor) ?? steps[steps.length - 1]!;
  const suffix = step[1] + unit;
  const text = digits(value / step[0]);
  return suffix === "" ? text : `${text}${thin}${suffix}`;
}

export function count(value: number): string {
  return scaled(value, "", [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]]);
}

export function energy(picojoules: number): string {
  return scaled(picojoules, "J", [
    [1e12, ""], [1e9, "m"], [1e6, "µ"], [1e3, "n"], [1, "p"], [1e-3, "f"],
  ]);
}

export function time(seconds: number): string {
  return scaled(seconds, "s", [[1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"], [1e-12, "p"]]);
}

export function frequency(hertz: number): string {
  return scaled(hertz, "Hz", [[1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]]);
}

export function bytes(value: number): string {
  return scaled(value, "B", [[2 ** 40, "Ti"], [2 ** 30, "Gi"], [2 ** 20, "Mi"], [2 ** 10, "Ki"], [1, ""]]);
}

export function percent(share: number): string {
  if (!Number.isFinite(share)) {
    return "–";
  }
  const value = share * 100;
  const text = Math.abs(value) >= 99.95 ? value.toFixed(0) : value.toPrecision(3);
  return `${value === 0 ? "0" : Math.abs(value) < 0.001 ? "<0.001" : String(Number(text))}${thin}%`;
}

/** `+12.3 %`, with a real minus sign. */
export function signedPercent(share: number): string {
  if (!Number.isFinite(share)) {
    return "–";
  }
  return share > 0 ? `+${percent(share)}` : share < 0 ? `−${percent(-share)}` : percent(0);
}

/** All digits, grouped: `1 234 567`. */
export function exact(value: number): string {
  if (!Number.isFinite(value)) {
    return "–";
  }
  if (Number.isInteger(value) && Math.abs(value) < 1e21) {
    return BigInt(value).toString().replace(/\B(?=(\d{3})+$)/g, thin);
  }
  return String(value);
}

/** The last parts of a path-like operator name that fit. */
export function shortName(name: string, width: number): string {
  if (name.length <= width) {
    return name;
  }
  const parts = name.split("/").filter((part) => part !== "");
  let text = parts.pop() ?? name;
  while (parts.length > 0 && text.length + parts[parts.length - 1]!.length + 1 <= width - 1) {
    text = `${parts.pop()}/${text}`;
  }
  return text.length > width ? `${text.slice(0, width - 1)}…` : parts.length > 0 ? `…${text}` : text;
}
