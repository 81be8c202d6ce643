/**
 * Some clients on the same few keys, epoch after epoch, each with keys of its own. When an epoch is over, the server is asked
 * what there is, and whether all that the clients were told can be true.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createClient } from 'latchkey/client'
import type { FaultProxy } from 'latchkey/torture'
import { isPossible, type Operation } from '../../client/faults/history.js'
import type { Random } from '../../fuzz/random.js'
import { Session } from './session.js'

export const CLIENTS = 6
const KEYS = 5
/** Operations of a client in an epoch: a key then has a history that can be searched. */
const OPERATIONS = 30
/** One whose connections fail again and again does fewer. */
const EPOCH_MS = 4000
/** More items than this never vanish from one key in an epoch, or something is wrong. */
const VANISHINGS_MAX = 8
const READ_ATTEMPTS = 200

export interface Told {
  /** By key: every operation and what came of it. */
  readonly histories: Map<string, Operation[]>
  /** By key: the greatest token of an answer that has come. */
  readonly tokens: Map<string, bigint>
  /** By key and token: the value. */
  readonly values: Map<string, string>
}

/** How often a key's item must have vanished, at least, for its history to be true; and when it was used. */
export interface Vanished {
  readonly key: string
  readonly times: number
  readonly fromMs: number
  readonly toMs: number
}

export interface GroupFigures {
  answered: number
  /** Failed, and never sent. */
  unsent: number
  /** Failed, and perhaps done. */
  unknown: number
  histories: number
  vanished: Vanished[]
  faults: string[]
}

export class Group {
  readonly figures: GroupFigures = { answered: 0, unsent: 0, unknown: 0, histories: 0, vanished: [], faults: [] }
  #epoch = 0
  #clock = 0
  readonly #clients: Client<string>[]
  readonly #sound: Client<string>
  readonly #random: Random
  readonly #name: string

  constructor(name: string, proxies: readonly FaultProxy[], sound: Client<string>, random: Random) {
    this.#name = name
    this.#sound = sound
    this.#random = random
    this.#clients = Array.from({ length: CLIENTS }, () => clientOf(random.pick(proxies)))
  }

  async run(isOver: () => boolean): Promise<void> {
    while (!isOver()) await this.#playEpoch()
    await Promise.all(this.#clients.map((client) => client.close()))
  }

  async #playEpoch(): Promise<void> {
    const keys = Array.from({ length: KEYS }, (_, i) => `${this.#name}:${this.#epoch}:${i}`)
    this.#epoch++
    const fromMs = performance.now()
    const told: Told = { histories: new Map(), tokens: new Map(), values: new Map() }
    const tick = () => ++this.#clock
    const sessions = this.#clients.map(
      (client) => new Session({ client, keys, told, tick, random: this.#random, figures: this.figures }),
    )
    await Promise.all(sessions.map((session) => session.run(OPERATIONS, fromMs + EPOCH_MS)))
    for (const key of keys) {
      const history = told.histories.get(key) ?? []
      const start = tick()
      const value = await this.#read(key)
      history.push({ kind: 'get', start, end: tick(), outcome: 'done', value })
      this.#judge(key, history, fromMs)
    }
  }

  /** From the server itself, past all faults but the death of the thread that serves the connection. */
  async #read(key: string): Promise<string | undefined> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#sound.get(key)
      } catch (error) {
        if (attempt > READ_ATTEMPTS) throw error
        await sleep(20)
      }
    }
  }

  #judge(key: string, history: Operation[], fromMs: number): void {
    this.figures.histories++
    for (let times = 0; times <= VANISHINGS_MAX; times++) {
      if (!isPossible(history, times)) continue
      if (times > 0) this.figures.vanished.push({ key, times, fromMs, toMs: performance.now() })
      return
    }
    this.figures.faults.push(`${key}: this cannot be: ${JSON.stringify(history)}`)
  }
}

function clientOf(proxy: FaultProxy): Client<string> {
  return createClient({
    servers: `${proxy.host}:${proxy.port}`,
    deadlineMs: 2000,
    stallMs: 1200,
    reconnect: { minMs: 5, maxMs: 40 },
    whenDown: 'wait',
  })
}
