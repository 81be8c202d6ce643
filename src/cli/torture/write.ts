/** Where results go. */
import { accessSync, constants, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { TortureFlags } from '../torture.js'

/** What is wrong with the files that are to be written: to be asked before minutes of work are lost. */
export function outputsProblem({ json, html }: TortureFlags): string | undefined {
  for (const file of [json, html]) {
    if (typeof file !== 'string') continue
    try {
      accessSync(dirname(file), constants.W_OK)
      if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) return `${file} is a directory.`
    } catch {
      return `${file} cannot be written.`
    }
  }
  return undefined
}

/** `table` is not shown when the JSON goes to stdout. */
export function writeResults(
  { json, html }: TortureFlags,
  asJson: () => string,
  asHtml: () => string,
  table: string,
): void {
  if (json === true) process.stdout.write(asJson())
  else process.stdout.write(table)
  if (typeof json === 'string') writeFileSync(json, asJson())
  if (html !== undefined) writeFileSync(html, asHtml())
}
