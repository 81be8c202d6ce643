/** PHP, called 100 % safe: get-then-set with a value of one's own, which is read back and compared. */
import type { Algorithm } from '../algorithm.js'
import { guardedBy, type MakeRecipe, randomToken, secondsOf } from './recipe.js'

const recipe: MakeRecipe = (hands, task) => {
  const { cache } = hands
  const { name } = task
  const mine = randomToken(hands)
  return {
    async ask() {
      if ((await cache.get(name)) !== undefined) return false
      await cache.set(name, mine, secondsOf(task))
      return (await cache.get(name)) === mine
    },
    async release() {
      if ((await cache.get(name)) === mine) await cache.delete(name)
    },
  }
}

export const readBack: Algorithm = {
  name: 'read-back',
  row: 2,
  what: 'PHP, “100 %”: get-then-set with a random value, which is read back and compared',
  story: 'none',
  home: 'memcached',
  change: guardedBy(recipe, 50),
}
