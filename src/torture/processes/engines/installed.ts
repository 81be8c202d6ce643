/** What there is on this machine. */
import { accessSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'

const require = createRequire(import.meta.url)

/** Where a program is that can be started by its name; undefined: nowhere. */
export function programNamed(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, name)).find(isProgram)
}

/** Where a file of an npm package is; undefined: it is not installed where we are. */
export function packageFile(specifier: string): string | undefined {
  try {
    return require.resolve(specifier)
  } catch {
    return undefined
  }
}

/** In a few words, the first that is missing: programs by their names, or what else there has to be. */
export function firstMissing(wanted: Readonly<Record<string, string | undefined>>): string | undefined {
  const missing = Object.keys(wanted).find((name) => wanted[name] === undefined)
  return missing === undefined ? undefined : `there is no ${missing} here`
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
