/** All that a program starts, however far down, found by a mark in its environment: also when their parents are gone. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export class Family {
  readonly head: ChildProcess
  /** Temporary files of all of them are there. */
  readonly directory = mkdtempSync(join(tmpdir(), 'latchkey-family-'))

  constructor(program: string, args: readonly string[]) {
    // Servers that run as somebody else have their folders in it.
    chmodSync(this.directory, 0o711)
    const env = { ...process.env, TMPDIR: this.directory }
    this.head = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  }

  /** Those that are alive, with the letter of their state: T is stopped. */
  members(): { pid: number; state: string }[] {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    return pids.flatMap((pid) => {
      try {
        if (!this.#has(pid)) return []
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
        return [{ pid: Number(pid), state: stat.slice(stat.lastIndexOf(')') + 2)[0] }]
      } catch {
        // It has ended meanwhile.
        return []
      }
    })
  }

  /** Servers may write over what they were given, as PostgreSQL does; where they work, they cannot. */
  #has(pid: string): boolean {
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1')
    return (
      environment.includes(`TMPDIR=${this.directory}\0`) || readlinkSync(`/proc/${pid}/cwd`).startsWith(this.directory)
    )
  }

  files(): string[] {
    return readdirSync(this.directory)
  }

  /** Of a test that has failed. */
  end(): void {
    for (const { pid } of this.members()) process.kill(pid, 'SIGKILL')
    rmSync(this.directory, { recursive: true, force: true })
  }
}
