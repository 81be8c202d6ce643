/** Runs scripts of clients, and what else is to be run beside a server. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { requireWorking } from '../../support/peers.js'
import type { Given, GivenByRow } from './given.js'
import type { Script } from './scripts.js'

const patienceMs = 120_000

export function installed(t: TestContext, { runtime, needs }: Script): boolean {
  return requireWorking(t, runtime.command, runtime.probe(needs), runtime.packages)
}

export interface Done {
  code: number
  lines: string[]
  /** Everything it wrote. */
  said: string
}

export interface Running {
  /** Resolves when the script has written this line, or has ended. */
  asksFor(line: string): Promise<void>
  goOn(): void
  done: Promise<Done>
}

export function runScript({ runtime, name, protocol, client }: Script, given: Given): Running {
  const all: Given & GivenByRow = { ...given, binary: protocol === 'binary', client }
  return run(runtime.command, [...runtime.line(name), JSON.stringify(all)])
}

export function run(command: string, args: string[]): Running {
  const child = spawn(command, args, { timeout: patienceMs })
  let [written, said] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written += text
    said += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  // Who has ended is not told to go on.
  child.stdin.on('error', () => {})
  let ended = false
  const done = once(child, 'close').then(([code]) => {
    ended = true
    return { code: code ?? -1, lines: written.split('\n'), said }
  })
  return {
    asksFor: async (line) => {
      while (!written.includes(`${line}\n`) && !ended) await Promise.race([once(child.stdout, 'data'), done])
    },
    goOn: () => child.stdin.write('\n'),
    done,
  }
}
