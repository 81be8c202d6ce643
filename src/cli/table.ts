/** Rows as columns of text. */

/** `right`: these columns are numbers. */
export function tableText(rows: readonly (readonly string[])[], right: (column: number) => boolean): string {
  const widths: number[] = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  const aligned = (cell: string, i: number) => (right(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))
  return rows.map((row) => `${row.map(aligned).join('  ').trimEnd()}\n`).join('')
}
