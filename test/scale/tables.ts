/** What was simulated, as tables. */
import type { Quantiles } from './quantiles.js'

export interface Table {
  readonly title: string
  readonly heads: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export function tableText({ title, heads, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [`### ${title}`, '', line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')
}

export function ms(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(2)
}

/** p50, p99 and p99.9. */
export function threeOf(quantiles: Quantiles): string {
  return [0.5, 0.99, 0.999].map((share) => ms(quantiles.at(share))).join(' / ')
}

export function count(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)))
}

export function percent(share: number): string {
  return `${count(share * 100)} %`
}
