/**
 * The file that a server leaves its table in when it stops, and finds it in when it starts.
 *
 * An image is true only until somebody writes to the table that was made of it. So it is removed before the first connection is
 * served, and written anew at the end: after a crash there is none, and the next start begins empty rather than with
 * values that have been overwritten since. One server at a time has the file, and who dies leaves a socket beside it that nobody
 * answers at: so the next one knows why there is no image.
 */
import { createHash } from 'node:crypto'
import { lstatSync, readlinkSync, realpathSync, renameSync, rmSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import {
  type Inherited,
  StoreImage,
  StoreImageError,
  type StoreOptions,
  syncDirectory,
  Table,
} from '../../store/index.js'
import { type Moments, systemMoments } from '../state/moments.js'
import { type Occupancy, occupy } from '../state/occupancy.js'
import { noteIn, noteNow, stoppedFor } from './note.js'

/** Thrown when the file cannot be used at all: a directory, or in one that is missing, not writable, or of another server. */
export class MemoryFileError extends Error {
  readonly code = 'MEMORY_FILE'

  constructor(path: string, why: string) {
    super(`memory file ${path}: ${why}`)
    this.name = 'MemoryFileError'
  }
}

/** How far the file is read or written. Bytes. */
export interface MemoryFileProgress {
  readonly path: string
  readonly doing: 'loading' | 'saving'
  readonly done: number
  readonly total: number
}

export interface MemoryFileHooks {
  readonly log: (message: string) => void
  readonly onProgress: (progress: MemoryFileProgress) => void
  readonly moments?: Moments
}

/** What the server knows of the locks that the table before it had, if it keeps that. */
export interface LockMemory {
  readonly inherited: Inherited
  /** The text of the lock state file as it was found. */
  readonly text: string | undefined
}

export class MemoryFile {
  readonly #path: string
  readonly #occupancy: Occupancy
  readonly #hooks: MemoryFileHooks
  readonly #moments: Moments

  private constructor(path: string, occupancy: Occupancy, hooks: MemoryFileHooks) {
    this.#path = path
    this.#occupancy = occupancy
    this.#hooks = hooks
    this.#moments = hooks.moments ?? systemMoments
  }

  /**
   * Takes the place of the file, whether there is one yet or not.
   * @throws MemoryFileError when no file could be written there at the end.
   */
  static async open(given: string, hooks: MemoryFileHooks): Promise<MemoryFile> {
    try {
      const path = resolved(given)
      const found = statOf(path)
      if (found !== undefined && !found.isFile()) throw new Error('it is there, and no file')
      const occupancy = await occupy(dirname(path), placeName(path))
      // Whoever was writing it has died.
      rmSync(`${path}.new`, { force: true })
      if (found === undefined && occupancy.wasLeft)
        hooks.log(`latchkey: no image in ${path}: the last server did not stop cleanly. It starts empty`)
      return new MemoryFile(path, occupancy, hooks)
    } catch (error) {
      throw new MemoryFileError(given, (error as Error).message)
    }
  }

  /** The table of the image. Undefined when there is none, or one that cannot be used: that is told of, and kept aside. */
  async load(options: StoreOptions, locks: LockMemory | undefined): Promise<Table | undefined> {
    if (statOf(this.#path) === undefined) return undefined
    try {
      return await this.#load(options, locks)
    } catch (error) {
      if (!(error instanceof StoreImageError) && !isUnreadable(error)) throw error
      this.#putAside((error as Error).message)
      return undefined
    }
  }

  async #load(options: StoreOptions, locks: LockMemory | undefined): Promise<Table> {
    const startedAtMs = performance.now()
    const image = await StoreImage.open(this.#path)
    try {
      const note = noteIn(image.header.note)
      // What was given since by a server without this file is in the lock state alone.
      if (locks !== undefined && note.lockState !== (locks.text ?? null))
        throw new StoreImageError('it is not of the stop that the state directory tells of')
      const stoppedMs = stoppedFor(note, this.#moments)
      const onProgress = (done: number, total: number) => this.#progress('loading', done, total)
      const table = await Table.restore(image, options, { stoppedMs, inherited: locks?.inherited, onProgress })
      const stopped = `stopped for ${seconds(stoppedMs)}`
      this.#tell('loaded', 'from', image.header.items, image.bytes, startedAtMs, `; ${stopped}`)
      return table
    } finally {
      await image.close()
    }
  }

  #putAside(why: string): void {
    const aside = `${this.#path}.refused`
    try {
      renameSync(this.#path, aside)
    } catch (error) {
      throw new MemoryFileError(this.#path, `${why}, and it cannot be put aside: ${(error as Error).message}`)
    }
    this.#hooks.log(
      `latchkey: the image ${this.#path} cannot be used: ${why}. It is kept as ${aside}, and the server starts empty`,
    )
  }

  /** Before the first connection is served: from here on the image is true no more. */
  async remove(): Promise<void> {
    rmSync(this.#path, { force: true })
    // Should the machine fail now, it must not be there again.
    await syncDirectory(dirname(this.#path))
  }

  /**
   * Leaves the table, which no other thread uses any more. `lockState` is the text of that file, if one is kept.
   * @throws when it cannot be written; that is told of, and nothing is left.
   */
  async save(table: Table, lockState: string | undefined): Promise<void> {
    const startedAtMs = performance.now()
    try {
      const note = () => JSON.stringify(noteNow(lockState, this.#moments))
      const onProgress = (done: number, total: number) => this.#progress('saving', done, total)
      const { items, bytes } = await table.saveImage(this.#path, note, onProgress)
      this.#tell('saved', 'to', items, bytes, startedAtMs, '')
    } catch (error) {
      this.#hooks.log(`latchkey: the image ${this.#path} cannot be written: ${(error as Error).message}`)
      throw error
    }
  }

  #progress(doing: MemoryFileProgress['doing'], done: number, total: number): void {
    this.#hooks.onProgress({ path: this.#path, doing, done, total })
  }

  #tell(did: string, where: string, items: number, bytes: number, startedAtMs: number, more: string): void {
    const took = seconds(performance.now() - startedAtMs)
    const mib = Math.ceil(bytes / 2 ** 20)
    this.#hooks.log(`latchkey: ${did} ${items} items, ${mib} MiB, ${where} ${this.#path} in ${took}${more}`)
  }

  /** Lets another server have the file. */
  close(): void {
    this.#occupancy.leave()
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}

/**
 * One file has one name here, however it was given: two servers must see that they mean the same. A link leads to where the file
 * is to be, also while there is none.
 */
function resolved(path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
  if (isLink) return resolved(resolve(dirname(path), readlinkSync(path)))
  return join(realpathSync(dirname(path)), basename(path))
}

/** Addresses of sockets have little room, and names of files may be long. */
function placeName(path: string): string {
  return `latchkey-${createHash('sha256').update(basename(path)).digest('hex').slice(0, 12)}`
}

/** What can be helped by the owner of the file, and is no reason to have no cache. */
function isUnreadable(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '')
}
