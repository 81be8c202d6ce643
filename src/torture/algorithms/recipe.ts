/** What most recipes have in common: ask until it is one's own, change the set, release. */
import type { Algorithm, Hands, Task } from '../algorithm.js'

/** One acquisition. */
export interface Recipe {
  /** True when the caller believes that it holds the lock. */
  ask(): Promise<boolean>
  release(): Promise<void>
}

export type MakeRecipe = (hands: Hands, task: Task) => Recipe

/** Asks every `everyMs` while there is patience left, and then gives up. */
export function guardedBy(make: MakeRecipe, everyMs: number): Algorithm['change'] {
  return async (hands, task) => {
    const recipe = make(hands, task)
    if (!(await askEvery(everyMs, recipe, hands, task))) return 'busy'
    const belief = hands.believes()
    try {
      await addToSet(hands, task)
      return 'done'
    } finally {
      belief.end()
      await recipe.release()
    }
  }
}

export async function askEvery(everyMs: number, { ask }: Recipe, hands: Hands, task: Task): Promise<boolean> {
  for (let waitedMs = 0; ; waitedMs += everyMs) {
    if (await ask()) return true
    if (waitedMs >= task.waitMs) return false
    await hands.sleep(everyMs)
  }
}

/** What the lock is for: nobody else may write between this read and this write. */
export async function addToSet({ resource }: Hands, { id, work }: Task): Promise<void> {
  const ids = await resource.read()
  await work()
  await resource.write([...ids, id])
}

/** A lease as memcached counts it. */
export function secondsOf({ ttlMs }: Task): number {
  return Math.ceil(ttlMs / 1000)
}

/** Half a lifetime of locks will not see the same twice: 13 hexadecimal digits. */
export function randomToken(hands: Hands): string {
  return Math.floor(hands.random() * 2 ** 52)
    .toString(16)
    .padStart(13, '0')
}
