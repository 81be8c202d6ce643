/** Calls of the client with what came of them: judged one by one here, and kept for the history of their keys. */
import assert from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import {
  CodecError,
  ConnectionLostError,
  DeadlineExceededError,
  ProtocolError,
  ServerUnavailableError,
  UnsupportedError,
  UpdateConflictError,
} from 'latchkey/client'
import type { Operation } from './history.js'
import type { Scenario } from './scenario.js'

/** What a loaded machine may add to a deadline; test/client/deadlines.test.ts looks closer. */
const slackMs = 10_000

/** `unsent`: it is certain that nothing was done. */
export type Failure = 'unsent' | 'unknown'

export interface Call<R> {
  readonly name: string
  /** Shown where something is wrong with it. */
  readonly args: readonly unknown[]
  readonly run: () => Promise<R>
  readonly deadlineMs: number
  /** The reason with which its signal may end it. */
  readonly abortReason?: unknown
}

export class Recorder {
  readonly operations = new Map<string, Operation[]>()
  readonly failures: string[] = []
  /** Calls that answered, for the report. */
  answered = 0
  #clock = 0
  readonly #scenario: Scenario
  readonly #hasMeta: boolean
  readonly #journal: string[] = []

  constructor(scenario: Scenario, hasMeta: boolean) {
    this.#scenario = scenario
    this.#hasMeta = hasMeta
  }

  /** A moment on the run's clock. */
  tick(): number {
    return ++this.#clock
  }

  keep(key: string, operation: Operation): void {
    const own = this.operations.get(key)
    if (own === undefined) this.operations.set(key, [operation])
    else own.push(operation)
  }

  /** What happened, in order, for the one who reads of a failure. */
  journal(): string {
    return this.#journal.join('\n')
  }

  /** Runs the call. `answered` and `failed` are told the moments of call and answer. */
  async call<R>(
    call: Call<R>,
    answered: (result: R, start: number, end: number) => void,
    failed: (failure: Failure, start: number) => void = () => {},
  ): Promise<void> {
    const start = this.tick()
    const from = performance.now()
    const say = (what: string) =>
      this.#journal.push(`${start}-${this.#clock} ${call.name}(${call.args.map(shown).join(', ')}): ${what}`)
    try {
      const result = await call.run()
      const end = this.tick()
      say(shown(result))
      this.answered++
      this.#inTime(call, from)
      this.#check(() => answered(result, start, end))
    } catch (error) {
      this.tick()
      say(String(error))
      this.#inTime(call, from)
      this.#judge(call, error)
      failed(isUnsent(error) ? 'unsent' : 'unknown', start)
    }
  }

  /** Collects what is wrong instead of ending the run: more may follow that explains it. */
  #check(assertion: () => void): void {
    try {
      assertion()
    } catch (error) {
      this.failures.push(error instanceof Error ? error.message : String(error))
    }
  }

  #inTime({ name, deadlineMs }: Call<unknown>, from: number): void {
    const tookMs = performance.now() - from
    this.#check(() => assert.ok(tookMs < deadlineMs + slackMs, `${name} took ${tookMs} ms, of ${deadlineMs}`))
  }

  #judge(call: Call<unknown>, error: unknown): void {
    const { harmless, garbled } = this.#scenario
    if (call.abortReason !== undefined && error === call.abortReason) return
    const allowed =
      (!this.#hasMeta && call.name === 'meta' && error instanceof UnsupportedError) ||
      (!harmless &&
        (error instanceof DeadlineExceededError ||
          error instanceof ConnectionLostError ||
          error instanceof ServerUnavailableError)) ||
      (error instanceof UpdateConflictError && call.name === 'update') ||
      (garbled && (error instanceof ProtocolError || error instanceof CodecError))
    if (!allowed) this.failures.push(`${call.name}(${call.args.map(shown).join(', ')}) failed with ${stackOf(error)}`)
  }
}

/** `UpdateConflictError` too: nothing of that call was stored. */
export function isUnsent(error: unknown): boolean {
  if (error instanceof DeadlineExceededError) return !error.sent
  return (
    error instanceof ServerUnavailableError || error instanceof UnsupportedError || error instanceof UpdateConflictError
  )
}

function shown(value: unknown): string {
  const text = JSON.stringify(value, (_, one) =>
    typeof one === 'bigint' ? `${one}n` : one instanceof Map ? [...one] : one,
  )
  return text === undefined || text.length < 120 ? `${text}` : `${text.slice(0, 60)}…(${text.length})`
}

function stackOf(error: unknown): string {
  return error instanceof Error ? `${error.stack}` : String(error)
}
