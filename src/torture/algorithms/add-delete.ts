/** Java, 2009: `add` with an expiry, and `delete` in `finally`. Whose lock that deletes is not asked. */
import type { Algorithm } from '../algorithm.js'
import { guardedBy, type MakeRecipe, secondsOf } from './recipe.js'

const recipe: MakeRecipe = ({ cache }, task) => ({
  ask: () => cache.add(task.name, 'locked', secondsOf(task)),
  async release() {
    await cache.delete(task.name)
  },
})

export const addDelete: Algorithm = {
  name: 'add-delete',
  row: 3,
  what: 'Java, 2009: add with an expiry, delete in finally, whoever’s lock that is by then',
  story: 'overrun',
  home: 'memcached',
  change: guardedBy(recipe, 100),
}
