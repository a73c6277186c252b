// Comma-separated values after RFC 4180: CRLF, quotes doubled. Numbers carry every digit.

export type CsvCell = string | number | boolean | null;

function field(cell: CsvCell): string {
  if (cell === null) {
    return "";
  }
  const text = String(cell);
  // A leading = + - @ would be run as a formula by spreadsheets; names come from model files.
  const safe = typeof cell === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

export function toCsv(header: string[], rows: CsvCell[][]): string {
  return [header, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

/** Offers `text` as a file; a blob, so nothing leaves the page. */
export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
