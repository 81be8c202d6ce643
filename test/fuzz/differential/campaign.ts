/** Many conversations at once, each on keys of its own; and now and then one that has the servers to itself. */
import { type Conversation, conversation, type Protocol } from './conversation.js'
import { isAsked } from './differences.js'
import { type Mismatch, play } from './play.js'
import { Seat } from './seat.js'
import type { Servers } from './servers.js'
import { shrink } from './shrink.js'

const LANES = 16
/** So many conversations a lane, then the ones alone. */
const ROUND = 30
const ALONE = 12

export interface Plan {
  readonly commands: number
  readonly seed: number
  /** Stops when so many conversations differed. */
  readonly mismatchesMax: number
  /** All values are large: up to this limit of an item, in bytes. */
  readonly large?: number
  progress?(campaign: Campaign): void
}

/** The figures of a run, and what it found. */
export class Campaign {
  readonly commands = { classic: 0, meta: 0, binary: 0 } satisfies Record<Protocol, number>
  readonly reasons = new Map<string, number>()
  readonly mismatches: Mismatch[] = []
  conversations = 0
  readonly #plan: Plan
  readonly #servers: Servers
  #next = 0

  constructor(plan: Plan, servers: Servers) {
    this.#plan = plan
    this.#servers = servers
  }

  get total(): number {
    const { classic, meta, binary } = this.commands
    return classic + meta + binary
  }

  get #isOver(): boolean {
    return this.total >= this.#plan.commands || this.mismatches.length >= this.#plan.mismatchesMax
  }

  async run(): Promise<void> {
    const lanes = Array.from({ length: LANES }, (_, number) => new Lane(number, this.#servers))
    try {
      await lanes[0].giveFirstTokens()
      while (!this.#isOver) {
        await Promise.all(lanes.map((lane) => this.#playSome(lane, ROUND, false)))
        await this.#playSome(lanes[0], ALONE, true)
        this.#plan.progress?.(this)
      }
    } finally {
      for (const lane of lanes) lane.close()
    }
  }

  async #playSome(lane: Lane, times: number, alone: boolean): Promise<void> {
    for (let left = times; left > 0 && !this.#isOver; left--) {
      const seed = (this.#plan.seed + this.#next++ * 7919) >>> 0
      const made = conversation(seed, lane.number, alone, this.#plan.large)
      await this.#playOne(lane, { ...made, commands: made.commands.filter((each) => isAsked(each, this.#count)) })
    }
  }

  async #playOne(lane: Lane, conversation: Conversation): Promise<void> {
    this.conversations++
    for (const { protocol } of conversation.commands) this.commands[protocol]++
    const mismatch = await lane.play(conversation, this.#count)
    if (mismatch === undefined) return
    const again = (shorter: Conversation) => lane.play(shorter, () => {})
    this.mismatches.push(await shrink(mismatch, again))
  }

  readonly #count = (name: string): void => {
    this.reasons.set(name, (this.reasons.get(name) ?? 0) + 1)
  }
}

class Lane {
  readonly number: number
  readonly #ours: Seat
  readonly #theirs: Seat

  constructor(number: number, { ours, theirs }: Servers) {
    this.number = number
    this.#ours = new Seat(ours, number)
    this.#theirs = new Seat(theirs, number)
  }

  async giveFirstTokens(): Promise<void> {
    await Promise.all([this.#ours.giveFirstTokens(), this.#theirs.giveFirstTokens()])
  }

  async play(conversation: Conversation, count: (name: string) => void): Promise<Mismatch | undefined> {
    const mismatch = await play(conversation, this.#ours, this.#theirs, count)
    // One of them may be in the middle of something.
    if (mismatch !== undefined) this.close()
    return mismatch
  }

  close(): void {
    this.#ours.close()
    this.#theirs.close()
  }
}
