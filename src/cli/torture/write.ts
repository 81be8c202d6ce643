/** Where results go. */
import { accessSync, constants, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { say } from '../say.js'
import type { TortureFlags } from '../torture.js'

/** What is wrong with the files that are to be written: to be asked before minutes of work are lost. */
export function outputsProblem({ json, html }: TortureFlags): string | undefined {
  for (const file of [json, html]) {
    if (typeof file !== 'string') continue
    if (file === '') return 'a file has no name.'
    try {
      const there = statSync(file, { throwIfNoEntry: false })
      if (there?.isDirectory()) return `${file} is a directory.`
      accessSync(there === undefined ? dirname(file) : file, constants.W_OK)
    } catch {
      return `${file} cannot be written.`
    }
  }
  return undefined
}

/** `table` is not shown when the JSON goes to stdout. False: a file could not be written, which is told. */
export function writeResults(
  { json, html }: TortureFlags,
  asJson: () => string,
  asHtml: () => string,
  table: string,
): boolean {
  process.stdout.write(json === true ? asJson() : table)
  const written = [
    typeof json !== 'string' || isWritten(json, asJson()),
    html === undefined || isWritten(html, asHtml()),
  ]
  return written.every((each) => each)
}

function isWritten(file: string, text: string): boolean {
  try {
    writeFileSync(file, text)
    return true
  } catch (error) {
    say(`${file} cannot be written: ${(error as Error).message}`)
    return false
  }
}
