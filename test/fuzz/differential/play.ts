/** Plays a conversation with both servers, and compares what they say. */
import { Random } from '../random.js'
import { actsOf, type Command, type Conversation } from './conversation.js'
import { byChance, evened, isMinusBehind, SWALLOWED } from './differences.js'
import type { Seat } from './seat.js'

export interface Mismatch {
  readonly conversation: Conversation
  /** What was sent in one go when the replies differed. */
  readonly asked: readonly Command[]
  readonly ours: string
  readonly theirs: string
}

export type Count = (name: string) => void

/** Undefined when both say the same, but for what is listed, of which each is counted. */
export async function play(
  conversation: Conversation,
  ours: Seat,
  theirs: Seat,
  count: Count,
): Promise<Mismatch | undefined> {
  const { alone, delivery, seed } = conversation
  await Promise.all([ours.begin(alone), theirs.begin(alone)])
  for (const asked of actsOf(conversation)) {
    const cuts = () => (delivery === 'split' ? new Random(seed ^ asked.length) : undefined)
    const [our, their] = await Promise.all([ours.say(asked, cuts()), theirs.say(asked, cuts())])
    if (our === their) continue
    const reasons = reasonsFor(asked, our, their)
    if (reasons === undefined && isMinusBehind(our, their, conversation.commands)) {
      count(byChance[0].name)
      return undefined
    }
    if (reasons === undefined) return { conversation, asked, ours: our, theirs: their }
    for (const name of reasons) count(name)
  }
  return undefined
}

/** What explains every line that differs; undefined when something does not. */
function reasonsFor(asked: readonly Command[], ours: string, theirs: string): string[] | undefined {
  // Of each store that it refuses 1.6.18 may answer up to two lines of data.
  const swallowed = 2 * asked.filter(({ text }) => isStore.test(text)).length
  return new Alignment(ours.split('\n'), theirs.split('\n'), asked.map(({ text }) => text).join('')).from(
    0,
    0,
    swallowed,
  )
}

const isStore = /^(set|add|replace|append|prepend|cas|ms) /

/** Finds which line answers to which, where one of the two says more. */
class Alignment {
  readonly #ours: readonly string[]
  readonly #theirs: readonly string[]
  readonly #asked: string
  #steps = 20_000

  constructor(ours: readonly string[], theirs: readonly string[], asked: string) {
    this.#ours = ours
    this.#theirs = theirs
    this.#asked = asked
  }

  from(our: number, their: number, swallowed: number): string[] | undefined {
    if (their === this.#theirs.length) return our === this.#ours.length ? [] : undefined
    if (--this.#steps < 0) return undefined
    const line = this.#theirs[their]
    if (our < this.#ours.length) {
      const { equal, reasons } = evened(this.#ours[our], line, this.#asked)
      const rest = equal ? this.from(our + 1, their + 1, swallowed) : undefined
      if (rest !== undefined) return [...reasons, ...rest]
    }
    if (swallowed === 0 || !/^(ERROR|END)\r$/.test(line)) return undefined
    const rest = this.from(our, their + 1, swallowed - 1)
    return rest && [SWALLOWED, ...rest]
  }
}
