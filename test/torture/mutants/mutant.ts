/** A rule of the locks, taken out of the compiled program: what stands in the way of the faults, and what comes through without it. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FaultName } from 'latchkey/torture'
import { projectRoot } from '../../support/root.js'

export interface Mutant {
  /** Of DESIGN.md, 1 to 13. */
  readonly rule: number
  /** For its folder. */
  readonly name: string
  /** What is different, in words. */
  readonly what: string
  /** Below `dist`. */
  readonly file: string
  /** Stands there exactly once. */
  readonly find: string
  readonly replace: string
  /** A second place in that file. */
  readonly also?: { readonly find: string; readonly replace: string }
  /** Where it is looked for, the likeliest first. */
  readonly under: readonly Place[] | 'what explain() says'
}

export interface Place {
  readonly algorithm: string
  readonly fault: FaultName
}

export type Door = typeof import('latchkey/torture')

const nursery = join(projectRoot, 'build/mutants')

/** The whole program with that one place changed: nothing of the real one knows of it. */
export async function breed({ name, file, also, ...place }: Mutant): Promise<Door> {
  const home = join(nursery, name)
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  // The version is read from there.
  cpSync(join(projectRoot, 'package.json'), join(home, 'package.json'))
  cpSync(join(projectRoot, 'dist'), join(home, 'dist'), { recursive: true })
  const path = join(home, 'dist', file)
  let text = readFileSync(path, 'utf8')
  for (const { find, replace } of also === undefined ? [place] : [place, also]) {
    const parts = text.split(find)
    if (parts.length !== 2) throw new Error(`${name}: ${file} has ${parts.length - 1} times: ${find}`)
    text = parts.join(replace)
  }
  writeFileSync(path, text)
  return import(join(home, 'dist/torture/index.js'))
}
