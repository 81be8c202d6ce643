/** PHP, many times over: look whether the key is there, and if not, set it. */
import type { MakeRecipe } from './recipe.js'

export const getThenSet: MakeRecipe = (cache, key, step) => ({
  async acquire() {
    if ((await cache.get(key)) !== undefined) return false
    await step('looked')
    return cache.set(key, '1', { ttl: '30s' })
  },
  async release() {
    await cache.delete(key)
  },
})
