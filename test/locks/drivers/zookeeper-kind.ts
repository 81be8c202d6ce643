/** ZooKeeper, for the driver suite. */
import assert from 'node:assert/strict'
import { zookeeper } from 'latchkey/locks'
import { inOrder, nodeOf } from '#dist/locks/drivers/zookeeper/places.js'
import { children, create, type NewNode, remove } from '#dist/locks/drivers/zookeeper/requests.js'
import { Session } from '#dist/locks/drivers/zookeeper/session.js'
import { Writer } from '#dist/locks/drivers/zookeeper/wire.js'
import { requireZooKeeper, startZooKeeper, type ZooKeeperServer } from '../../support/zookeeper.js'
import type { DriverKind, Stranger } from './kinds.js'

const root = '/latchkey'
const setData = 5
const deadlineMs = 20_000

export const zookeeperKind: DriverKind = {
  name: 'ZooKeeper',
  shortMs: 500,
  // It looks for what is over once a tick.
  overMs: 1300,
  remote: true,
  queues: true,
  lists: true,
  touches: false,
  registers: true,
  fences: 'token',
  granularityMs: 0,
  evicts: false,
  async start(t) {
    if (!requireZooKeeper(t)) return undefined
    const { members, servers, stop } = await startZooKeeper()
    return {
      servers,
      stranger: strangerOf(members[0]),
      counter: () => assert.fail('ZooKeeper has no counters'),
      create: () => zookeeper({ servers }),
      stop,
    }
  },
}

/** Over what the holder has there; where there is none, in a node that no lock has. */
function strangerOf({ host, port }: ZooKeeperServer): Stranger {
  const inSession = async <R>(run: (session: Session) => Promise<R>): Promise<R> => {
    const options = { timeoutMs: 10_000, lastZxid: 0n, digest: undefined }
    const session = await Session.open({ host, port }, options, deadlineMs)
    try {
      return await run(session)
    } finally {
      await session.close(deadlineMs)
    }
  }
  const childrenOf = (session: Session, node: string) => children(session, node, deadlineMs).catch(() => [])
  return {
    set: (key, value) =>
      inSession(async (session) => {
        const node = nodeOf(root, key)
        const [first] = inOrder(await childrenOf(session, node))
        const data = Buffer.from(value)
        if (first !== undefined) {
          const body = new Writer().bytes(`${node}/${first}`).bytes(data).int(-1)
          await session.request(setData, body, deadlineMs)
          return
        }
        const made = (path: string, data: Buffer) =>
          ({ path, data, kind: 'lasting', isOurs: false }) as unknown as NewNode
        for (const path of [root, node]) await create(session, made(path, Buffer.alloc(0)), deadlineMs).catch(() => {})
        await create(session, made(`${node}/stranger`, data), deadlineMs)
      }),
    touch: () => assert.fail('lives cannot be changed from outside'),
    delete: (key) =>
      inSession(async (session) => {
        const node = nodeOf(root, key)
        for (const name of await childrenOf(session, node)) await remove(session, `${node}/${name}`, -1, deadlineMs)
      }),
  }
}
