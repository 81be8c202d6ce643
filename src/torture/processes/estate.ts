/** What would be left behind if the laboratory were killed: a process beside it, the undertaker, sees to that. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Of Linux: files that are nowhere else. */
const MEMORY = '/dev/shm'

/** To the undertaker. `gone`: that is no more. Keys are whole, prefix and all. */
export type Item = { readonly gone?: boolean } & (
  | { readonly is: 'process'; readonly pid: number }
  | { readonly is: 'directory'; readonly path: string }
  | { readonly is: 'key'; readonly server: string; readonly key: string }
)

export class Estate {
  readonly #undertaker: ChildProcess
  readonly #gone: Promise<unknown>

  constructor() {
    // In a session of its own no signal of a terminal reaches it.
    const program = fileURLToPath(new URL('./undertaker.js', import.meta.url))
    this.#undertaker = fork(program, { detached: true, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#gone = once(this.#undertaker, 'exit')
    // Without one everything works, as long as nobody kills us.
    this.#undertaker.on('error', () => {})
  }

  /** To be called in the same turn in which the process was started. */
  adopt(child: ChildProcess): void {
    const { pid } = child
    if (pid === undefined) return
    this.tell({ is: 'process', pid })
    child.once('exit', () => this.tell({ is: 'process', pid, gone: true }))
  }

  /** A fresh one of this process and no other user; `inMemory` where that can be had. */
  makeDirectory(inMemory = false): string {
    const above = inMemory && existsSync(MEMORY) ? MEMORY : tmpdir()
    const path = mkdtempSync(join(above, 'latchkey-torture-'))
    this.tell({ is: 'directory', path })
    return path
  }

  removeDirectory(path: string): void {
    rmSync(path, { recursive: true, force: true })
    this.tell({ is: 'directory', path, gone: true })
  }

  tell(item: Item): void {
    if (this.#undertaker.connected) this.#undertaker.send(item)
  }

  /** Resolves when what was still on the list is gone, too. */
  async close(): Promise<void> {
    if (this.#undertaker.connected) this.#undertaker.disconnect()
    if (this.#undertaker.exitCode === null && this.#undertaker.signalCode === null) await this.#gone
  }
}
