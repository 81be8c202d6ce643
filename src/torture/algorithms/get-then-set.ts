/** PHP, many times over: look whether the key is there and, if it is not, set it. */
import type { Algorithm } from '../algorithm.js'
import { guardedBy, type MakeRecipe, secondsOf } from './recipe.js'

const recipe: MakeRecipe = ({ cache }, task) => ({
  async ask() {
    if ((await cache.get(task.name)) !== undefined) return false
    return cache.set(task.name, '1', secondsOf(task))
  },
  async release() {
    await cache.delete(task.name)
  },
})

export const getThenSet: Algorithm = {
  name: 'get-then-set',
  row: 1,
  what: 'PHP: looks whether the key is there and, if it is not, sets it',
  story: 'none',
  home: 'memcached',
  change: guardedBy(recipe, 50),
}
