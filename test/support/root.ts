import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The package's own folder, found upwards from the compiled test. */
export const projectRoot = findRoot(import.meta.dirname)

function findRoot(from: string): string {
  if (existsSync(join(from, 'package.json'))) return from
  const parent = dirname(from)
  if (parent === from) throw new Error('no package.json above the tests')
  return findRoot(parent)
}
