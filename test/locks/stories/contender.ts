/** A process that wants a lock, by one of the recipes or by this package's, and does one thing after the other as told. */
import { createClient } from 'latchkey/client'
import { createLocks, type Lock, LockBusyError } from 'latchkey/locks'
import { driverAt } from '../support/driver-at.js'
import { getThenSet } from './recipes/get-then-set.js'
import { readBack } from './recipes/read-back.js'
import type { MakeRecipe, Recipe, Step } from './recipes/recipe.js'

/** From the test. `go` lets on who stands at a step. */
export type Order = { do: 'acquire'; key: string; wait?: string } | { do: 'release' | 'go' }
/** To the test. */
export type Report =
  | { is: 'ready' | 'released' }
  | { is: 'at'; step: string }
  /** The recipes have no fence. */
  | { is: 'held'; fence: string }
  | { is: 'busy' }
  | { is: 'failed'; error: string }

export type Way = keyof typeof ways

const [way, server] = process.argv.slice(2)
let goOn = () => {}

const say = (report: Report) => process.send!(report)
const step: Step = (name) =>
  new Promise((resolve) => {
    goOn = resolve
    say({ is: 'at', step: name })
  })

interface Play {
  acquire(key: string, wait?: string): Promise<Report>
  release(): Promise<unknown>
}

function byRecipe(make: MakeRecipe): Play {
  const cache = createClient({ servers: server })
  let recipe: Recipe
  return {
    async acquire(key) {
      recipe = make(cache, key, step)
      return (await recipe.acquire()) ? { is: 'held', fence: '0' } : { is: 'busy' }
    },
    release: () => recipe.release(),
  }
}

function byLatchkey(): Play {
  const locks = createLocks(driverAt(server))
  let lock: Lock
  return {
    async acquire(key, wait = '0s') {
      try {
        lock = await locks.acquire(key, { ttl: '10s', wait })
        return { is: 'held', fence: `${lock.fence}` }
      } catch (error) {
        if (error instanceof LockBusyError) return { is: 'busy' }
        throw error
      }
    },
    release: () => lock.release(),
  }
}

const ways = {
  getThenSet: () => byRecipe(getThenSet),
  readBack: () => byRecipe(readBack),
  latchkey: byLatchkey,
}

const play = ways[way as Way]()

async function obey(order: Order): Promise<void> {
  if (order.do === 'go') goOn()
  else if (order.do === 'acquire') say(await play.acquire(order.key, order.wait))
  else {
    await play.release()
    say({ is: 'released' })
  }
}

process.on('message', (order: Order) => {
  obey(order).catch((error) => say({ is: 'failed', error: String(error) }))
})
process.once('disconnect', () => process.exit())
say({ is: 'ready' })
