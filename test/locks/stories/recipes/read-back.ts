/** PHP, "100 %": get-then-set with a random value, which is read back and compared. */
import { randomUUID } from 'node:crypto'
import type { MakeRecipe } from './recipe.js'

export const readBack: MakeRecipe = (cache, key, step) => {
  const mine = randomUUID()
  return {
    async acquire() {
      if ((await cache.get(key)) !== undefined) return false
      await step('looked')
      await cache.set(key, mine, { ttl: '30s' })
      return (await cache.get(key)) === mine
    },
    async release() {
      if ((await cache.get(key)) === mine) await cache.delete(key)
    },
  }
}
