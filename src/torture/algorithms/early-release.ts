/** The lock is right, and inside of the transaction: it is free again before anybody can see what was done under it. */
import type { Algorithm, Hands, Resource, Transaction } from '../algorithm.js'
import { addToken, POLL_MS } from './add-token.js'
import { askEvery } from './recipe.js'

/** As every framework has it: begin, the handler, commit. */
async function transaction<R>(resource: Resource, handler: (transaction: Transaction) => Promise<R>): Promise<R> {
  const begun = resource.begin()
  const result = await handler(begun)
  await begun.commit()
  return result
}

const change: Algorithm['change'] = (hands: Hands, task) =>
  transaction(hands.resource, async (open) => {
    const recipe = addToken(hands, task)
    if (!(await askEvery(POLL_MS, recipe, hands, task))) return 'busy'
    const belief = hands.believes()
    try {
      const ids = await open.read()
      await task.work()
      await open.write([...ids, task.id])
      return 'done'
    } finally {
      belief.end()
      await recipe.release()
    }
  })

export const earlyRelease: Algorithm = {
  name: 'early-release',
  row: 10,
  what: 'the lock is released when the handler ends, and the transaction commits after that',
  story: 'none',
  home: 'memcached',
  change,
}
