/** Java, 2009: `add` with an expiry, and `delete` in `finally`. Whose lock that deletes is not asked. */
import type { MakeRecipe } from './recipe.js'

export const addDelete: MakeRecipe = (cache, key) => ({
  acquire: () => cache.add(key, 'locked', { ttl: '2s' }),
  async release() {
    await cache.delete(key)
  },
})
