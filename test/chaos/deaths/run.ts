/** Threads of one store die in the middle of operations, again and again, while others work on; after each death all is looked at. */
import { Store, type StoreOptions, Table } from 'latchkey/store'
import { frame } from '../../store/frames.js'
import { Random } from '../../store/random.js'
import { Crowd, type Death } from './crowd.js'
import { Inspector } from './inspector.js'
import { Cell, DOOMED, Lane, MORTALS, PINNED_KEYS, pinnedKey, sharedCells } from './job.js'
import { Ledger } from './ledger.js'

export interface DeathsPlan {
  readonly deaths: number
  readonly seed: number
  readonly progress?: (deaths: number) => void
}

export interface DeathsFigures {
  deaths: number
  /** Deaths that found a lock held, at moments drawn by time and at writes drawn by number. */
  caughtAnywhere: number
  caughtAtWrites: number
  /** Of these, those that held the list of free pages, with a stripe or alone. */
  caughtWithPool: number
  caughtWithPoolOnly: number
  /** By what the thread was doing: deaths that found a lock held. */
  byDeed: Record<string, number>
  /** Changes that a thread died in. */
  undecided: Inspector['undecided']
  operations: number
  grants: number
  handOvers: number
  repairs: number
  repairDropped: number
  evictions: number
  evictionsSeen: number
  /** Of keys of which it is known what must be there. */
  evictionsOfKnown: number
  lockTimeouts: number
  seconds: number
  /** Everything that was wrong. */
  faults: string[]
}

const STORE: StoreOptions = { memory: '2mb', itemMax: '256kb' }
/** Operations between two deaths, at most. */
const BETWEEN = 120
/** Writes that a doomed thread has left, at most: enough for any place of most operations. */
const FUSE = 400
/** More would only be the same again. */
const FAULTS_MAX = 20

export async function playDeaths({ deaths, seed, progress }: DeathsPlan): Promise<DeathsFigures> {
  const started = performance.now()
  const random = new Random(seed)
  const table = Table.create(STORE)
  table.startSweeper()
  const store = new Store(table)
  for (let i = 0; i < PINNED_KEYS; i++) store.set(pinnedKey(i).key, frame(pinnedKey(i).key, i, i))
  const job = { seed, ledger: Ledger.allocate(), ...sharedCells() }
  const inspector = new Inspector(table, job.ledger, job)
  const crowd = new Crowd(table, job)
  const found: Death[] = []
  try {
    while (found.length < deaths && inspector.faults.length + crowd.told.length < FAULTS_MAX) {
      const round = await playRound(crowd, random)
      await crowd.pause()
      for (const { lane } of round) crowd.hire(lane)
      for (const { lane, birth } of round) inspector.bury(lane, birth)
      inspector.look()
      // A thread takes long to start among busy ones.
      for (const { lane } of round) await crowd.rests(lane)
      crowd.resume()
      await crowd.watchSurvivors()
      found.push(...round)
      progress?.(found.length)
    }
    await crowd.stop()
    inspector.look()
  } catch (error) {
    inspector.faults.push(String(error))
    await crowd.abandon()
  }
  const { repairs, repairDropped, evictions, handOvers, waiters } = store.stats()
  if (waiters !== 0) inspector.faults.push(`${waiters} still wait`)
  const faults = [...crowd.told, ...inspector.faults]
  const counted = Atomics.load(job.cells, Cell.Faults)
  if (counted > 0 && crowd.told.length === 0) faults.push(`${counted} faults were seen by threads that then died`)
  store.close()
  const caught = found.filter(({ stripes, pool }) => stripes > 0 || pool)
  return {
    deaths: found.length,
    caughtAnywhere: caught.filter(({ lane }) => MORTALS.includes(lane)).length,
    caughtAtWrites: caught.filter(({ lane }) => DOOMED.includes(lane)).length,
    caughtWithPool: caught.filter(({ pool }) => pool).length,
    caughtWithPoolOnly: caught.filter(({ stripes }) => stripes === 0).length,
    byDeed: byDeed(caught),
    undecided: inspector.undecided,
    operations: crowd.sum(Lane.Operations),
    grants: crowd.sum(Lane.Grants),
    handOvers,
    repairs,
    repairDropped,
    evictions,
    evictionsSeen: Atomics.load(job.cells, Cell.Evicted),
    evictionsOfKnown: new Ledger(job.ledger).evictions,
    lockTimeouts: Atomics.load(job.cells, Cell.LockTimeouts),
    seconds: (performance.now() - started) / 1000,
    faults,
  }
}

/** Some die, one after the other, and the others work on between. */
async function playRound(crowd: Crowd, random: Random): Promise<Death[]> {
  const deaths: Death[] = []
  for (const lane of [...DOOMED, random.pick(MORTALS)]) {
    const isDoomed = DOOMED.includes(lane)
    await crowd.watch(lane, 1 + random.below(isDoomed ? 8 : BETWEEN))
    if (isDoomed) await crowd.park(lane, 1 + random.below(FUSE))
    deaths.push(await crowd.kill(lane))
  }
  return deaths
}

function byDeed(deaths: readonly Death[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { deed } of deaths) counts[deed] = (counts[deed] ?? 0) + 1
  return counts
}
