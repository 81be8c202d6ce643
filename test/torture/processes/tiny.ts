/** Two tiny algorithms, and some that are the same elsewhere: the laboratory is tested, and not they. */
import { PerformanceObserver } from 'node:perf_hooks'
import { LockBusyError, LockWaitTimeoutError } from 'latchkey/locks'
import type { Algorithm, Hands, Task } from 'latchkey/torture'

const POLL_MS = 20

/** Looks and, if nothing is there, sets. */
const getThenSet: Algorithm = {
  name: 'tiny-get-then-set',
  row: 1,
  what: 'looks and, if nothing is there, sets',
  home: 'memcached',
  change: (hands, task) =>
    polled(hands, task, async () => {
      if ((await hands.cache.get(task.name)) !== undefined) return false
      return hands.cache.set(task.name, '1', seconds(task))
    }),
}

const add: Algorithm = {
  name: 'tiny-add',
  row: 3,
  what: 'adds, and deletes in the end',
  home: 'memcached',
  change: (hands, task) => polled(hands, task, () => hands.cache.add(task.name, '1', seconds(task))),
}

async function polled(hands: Hands, task: Task, ask: () => Promise<boolean>): Promise<'done' | 'busy'> {
  const until = hands.now() + task.waitMs
  while (!(await ask())) {
    if (hands.now() > until) return 'busy'
    await hands.sleep(POLL_MS)
  }
  const belief = hands.believes()
  try {
    await append(hands, task)
    return 'done'
  } finally {
    belief.end()
    await hands.cache.delete(task.name)
  }
}

async function append({ resource }: Hands, task: Task, fence?: bigint): Promise<void> {
  const ids = await resource.read(fence)
  await task.work()
  await resource.write([...ids, task.id], fence)
}

function seconds({ ttlMs }: Task): number {
  return Math.ceil(ttlMs / 1000)
}

/** A right lock, with its fence. */
function ours(home: Algorithm['home'], more: Partial<Algorithm> = {}): Algorithm {
  return {
    name: `tiny-ours-${home}`,
    what: 'a lock with a fence',
    home,
    async change(hands, task) {
      const { name, ttlMs: ttl, waitMs: wait, signal } = task
      try {
        await using lock = await hands.locks.acquire(name, { ttl, wait, signal })
        const belief = hands.believes({
          fence: lock.fence,
          owner: lock.owner,
          remainingMs: () => lock.remainingMs(),
        })
        try {
          await append(hands, task, lock.fence)
        } finally {
          belief.end()
        }
        return 'done'
      } catch (error) {
        if (error instanceof LockBusyError || error instanceof LockWaitTimeoutError) return 'busy'
        throw error
      }
    },
    ...more,
  }
}

/** The set is in the cache itself. */
const casLoop: Algorithm = {
  name: 'tiny-cas',
  row: 7,
  what: 'a loop of gets and cas',
  home: 'memcached',
  async change({ cache }, task) {
    for (;;) {
      const found = await cache.gets(SET)
      await task.work()
      const changed = [...(found === undefined ? [] : found.value.split(' ')), task.id].join(' ')
      if (found === undefined ? await cache.add(SET, changed, 0) : await cache.cas(SET, changed, found.cas, 0))
        return 'done'
    }
  },
  async readBack({ cache }) {
    return (await cache.get(SET))?.split(' ') ?? []
  },
}
const SET = 'the-set'

/** Asks its servers in its own order; an error is a miss, and a server that cannot be reached is passed by. */
const rehashing: Algorithm = {
  ...add,
  name: 'tiny-rehashing',
  row: 5,
  servers: 3,
  habits: { errors: 'as a miss', dead: 'next server' },
  // The same key in every run, which is then on the same one of the three.
  change: (hands, task) => add.change(hands, { ...task, name: 'rehashed' }),
}

/** Asks once, and tells in the end whether the key is there, whatever the answer was. */
const oneAdd: Algorithm = {
  ...add,
  name: 'tiny-one-add',
  async change({ cache }, task) {
    await cache.set(NAME, task.name, 0)
    await task.work()
    return (await cache.add(task.name, '1', 60)) ? 'done' : 'busy'
  },
  async readBack({ cache }) {
    const name = await cache.get(NAME)
    return name !== undefined && (await cache.get(name)) !== undefined ? ['there'] : []
  },
}
const NAME = 'the-name'

/** Tells how many milliseconds were spent on collecting garbage while it worked. */
const collecting: Algorithm = {
  ...add,
  name: 'tiny-collecting',
  async change(_, task) {
    let ms = 0
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) ms += duration
    })
    observer.observe({ entryTypes: ['gc'] })
    await task.work()
    throw new Error(`${Math.round(ms)}`)
  },
}

const exiting: Algorithm = { ...add, name: 'tiny-exit', home: 'latchkey', change: async () => process.exit(1) }

const all: readonly Algorithm[] = [
  getThenSet,
  add,
  casLoop,
  rehashing,
  oneAdd,
  collecting,
  exiting,
  ours('memcached'),
  ours('latchkey'),
  ours('embedded'),
  ours('latchkey', { name: 'tiny-ours-three', servers: 3 }),
  ours('memcached', { name: 'tiny-ours-three-memcached', servers: 3 }),
  ours('latchkey', { name: 'tiny-ours-quorum', servers: 3, quorum: true }),
  ours('memcached', { name: 'tiny-ours-quorum-memcached', servers: 3, quorum: true }),
  ours('etcd', { servers: 3, quorum: true }),
  ours('redis'),
  // One starts much sooner than three.
  ours('zookeeper'),
  ours('postgres'),
  ours('dynamodb'),
]

export function algorithmNamed(name: string): Algorithm {
  const found = all.find((each) => each.name === name)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found
}
