/** Rule 11: what `explain()` says of a fault is what the laboratory sees of it. */
import type { Algorithm, FaultName } from 'latchkey/torture'
import type { Prey } from './hunt.js'
import type { Door } from './mutant.js'

/** The faults of the laboratory that each of `explain()` means. */
const meant: Readonly<Record<string, readonly FaultName[]>> = {
  'a holder dies': ['crash'],
  'a holder is paused past its lease': ['pause', 'stall'],
  'a reply is lost': ['lost-reply', 'retry', 'delay'],
  'the network between holder and server fails': ['blip', 'partition'],
  'the server restarts': ['restart'],
  'the server is full': ['evict', 'full'],
  'somebody flushes the server or deletes the key': ['flush', 'foreign'],
  "a holder's clock is set, or its machine suspended": ['clock', 'suspend'],
}

interface Said {
  readonly fault: string
  readonly verdict: string
}

/**
 * The first thing said that is not so: `survived`, and two held it or an update was lost; `fenced`, and one was lost with fences;
 * `not survived`, and nothing ever came of it.
 */
export async function contradiction(door: Door, seeds: number): Promise<Prey | undefined> {
  for (const home of ['memcached', 'latchkey'] as const) {
    for (const guarantee of ['lease', 'fenced'] as const) {
      const algorithm = door.algorithmNamed(`${home}-${guarantee}`)
      for (const said of await explained(door, algorithm, guarantee)) {
        const prey = await against(door, algorithm, said, seeds)
        if (prey !== undefined) return prey
      }
    }
  }
  return undefined
}

/** As the locks of a simulated participant say it. */
async function explained(door: Door, algorithm: Algorithm, guarantee: 'lease' | 'fenced'): Promise<readonly Said[]> {
  let faults: readonly Said[] = []
  const asking: Algorithm = {
    ...algorithm,
    async change({ locks }, { name }) {
      faults = (await locks.explain(name, guarantee)).faults
      return 'done'
    },
  }
  await door.simulation(() => asking).run(door.planOf(algorithm, 'none', 1))
  return faults
}

async function against(door: Door, algorithm: Algorithm, said: Said, seeds: number): Promise<Prey | undefined> {
  const { fault, verdict } = said
  const kinds = verdict === 'fenced' ? (['lost update'] as const) : (['overlap', 'lost update'] as const)
  const strict: Algorithm = { ...algorithm, counts: kinds, mayOverlap: [] }
  const found = await firstViolation(door, strict, meant[fault] ?? [], seeds)
  if (verdict === 'not survived') {
    if (found !== undefined) return undefined
    const text = `said to be not survived, and it was, ${seeds} times`
    return { ...place(algorithm, meant[fault][0], seeds), violation: { kind: 'overlap', at: 0, text, who: [] } }
  }
  return (
    found && { ...found, violation: { ...found.violation, text: `said to be ${verdict}: ${found.violation.text}` } }
  )
}

async function firstViolation(
  door: Door,
  algorithm: Algorithm,
  faults: readonly FaultName[],
  seeds: number,
): Promise<Prey | undefined> {
  const laboratory = door.simulation(() => algorithm)
  for (let seed = 1; seed <= seeds; seed++) {
    for (const fault of faults) {
      if (algorithm.without?.includes(fault)) continue
      const plan = door.planOf(algorithm, fault, seed)
      const [violation] = door.check(plan, algorithm, await laboratory.run(plan))
      if (violation !== undefined) return { ...place(algorithm, fault, seed), violation }
    }
  }
  return undefined
}

function place({ name }: Algorithm, fault: FaultName, seed: number) {
  return { algorithm: name, fault, seed }
}
