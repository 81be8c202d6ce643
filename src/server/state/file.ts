/** A small file that is replaced as a whole: after a crash at any moment the old one is there, or the new one. */
import fs from 'node:fs'
import { dirname } from 'node:path'

/** What is used of `node:fs`; tests put faults in. */
export type Files = Pick<
  typeof fs,
  'openSync' | 'writeSync' | 'fsyncSync' | 'closeSync' | 'renameSync' | 'readFileSync' | 'existsSync' | 'copyFileSync'
>

/** The text of the file, undefined when there is none; throws when it cannot be read. */
export function readText(path: string, files: Files = fs): string | undefined {
  try {
    return files.readFileSync(path, 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Replaces the file. When this returns the text is on the disk: the new file is, before it gets the name, and so
 * is the name, before anybody relies on it. One at a time: the unfinished file has one name.
 */
export function replaceText(path: string, text: string, files: Files = fs): void {
  const unfinished = `${path}.new`
  const bytes = Buffer.from(text, 'latin1')
  synced(files, unfinished, 'w', (file) => {
    for (let at = 0; at < bytes.length; ) at += files.writeSync(file, bytes, at)
  })
  files.renameSync(unfinished, path)
  synced(files, dirname(path), 'r', () => undefined)
}

function synced(files: Files, path: string, mode: string, act: (file: number) => void): void {
  const file = files.openSync(path, mode, 0o600)
  try {
    act(file)
    files.fsyncSync(file)
  } finally {
    files.closeSync(file)
  }
}

/** Keeps a copy of a file that is of no use, next to it, under a name that nothing has yet. The path of the copy. */
export function copyAside(path: string, files: Files = fs): string {
  for (let count = 1; ; count++) {
    const aside = `${path}.refused-${count}`
    if (files.existsSync(aside)) continue
    files.copyFileSync(path, aside, fs.constants.COPYFILE_EXCL)
    return aside
  }
}
