/** The nodes of locks, as the one session sees and changes them that is nobody's lease. */
import type { Call, Found } from '../../driver.js'
import { versionOf } from '../entry-version.js'
import { decodeRecord, FOREIGN } from '../record.js'
import type { Ensemble } from './ensemble.js'
import { BAD_VERSION, NO_NODE, NODE_EXISTS, ZooKeeperError } from './errors.js'
import { inOrder, nodeOf } from './places.js'
import { children, create, type NewNode, read, remove, sync } from './requests.js'
import type { Session } from './session.js'
import type { Stat } from './wire.js'

export class Nodes {
  readonly #ensemble: Ensemble
  readonly #root: string
  readonly #isOurs: boolean

  constructor(ensemble: Ensemble, root: string, isOurs: boolean) {
    this.#ensemble = ensemble
    this.#root = root
    this.#isOurs = isOurs
  }

  place(path: string, data: string, kind: NewNode['kind']): NewNode {
    return { path, data, kind, isOurs: this.#isOurs }
  }

  /** The lock's node goes by itself some time after its last child. */
  async make(key: string, call: Call): Promise<void> {
    await this.makeRoot(key, call)
    await this.#ensure(this.place(nodeOf(this.#root, key), '', 'container'), key, call)
  }

  /** It stays. */
  async makeRoot(lock: string, call: Call): Promise<void> {
    const parts = this.#root.slice(1).split('/')
    const paths = parts.map((_, i) => `/${parts.slice(0, i + 1).join('/')}`)
    for (const path of paths) await this.#ensure({ path, data: '', kind: 'lasting', isOurs: false }, lock, call)
  }

  /** False when it is another version, or gone. */
  async remove(path: string, version: number, lock: string, call: Call): Promise<boolean> {
    const removing = async (main: Session) => {
      await remove(main, path, version, call.deadlineMs)
      return true
    }
    const asked = this.#ensemble.change(lock, call, removing, [NO_NODE, BAD_VERSION])
    return asked.catch((error) => refusal(error, false))
  }

  /** As new as what anybody has been told before; none where there is no such node. */
  async children(node: string, lock: string, call: Call): Promise<string[]> {
    call.signal?.throwIfAborted()
    const asking = async (main: Session) => {
      const synced = sync(main, node, call.deadlineMs)
      const [, names] = await Promise.all([synced, children(main, node, call.deadlineMs)])
      return names
    }
    return await this.#ensemble.ask(lock, call, asking, [NO_NODE]).catch((error) => refusal(error, []))
  }

  async #ensure(node: NewNode, lock: string, call: Call): Promise<void> {
    const making = (main: Session) => create(main, node, call.deadlineMs)
    await this.#ensemble.ask(lock, call, making, [NODE_EXISTS]).catch((error) => refusal(error, undefined))
  }

  async find(key: string, call: Call): Promise<Found | undefined> {
    const node = nodeOf(this.#root, key)
    for (;;) {
      const order = inOrder(await this.children(node, key, call))
      const [first] = order
      if (first === undefined) return undefined
      const reading = (main: Session) => read(main, `${node}/${first}`, call.deadlineMs)
      const entry = await this.#ensemble.ask(key, call, reading, [NO_NODE]).catch((error) => refusal(error, undefined))
      // It has gone meanwhile, or has been extended: look again.
      if (entry !== undefined) return foundOf(key, first, entry, order.length - 1)
    }
  }
}

function foundOf(key: string, name: string, { data, stat }: { data: Buffer; stat: Stat }, waiters: number): Found {
  const { holder, fence } = decodeRecord(data) ?? FOREIGN
  return {
    key,
    holder,
    fence: fence === 'token' ? stat.czxid : fence === 'none' ? undefined : fence,
    version: versionOf(name, BigInt(stat.version)),
    leftMs: undefined,
    waiters,
  }
}

/** For one of those errors of ZooKeeper that are fine. */
export function refusal<R>(error: unknown, instead: R): R {
  if (error instanceof ZooKeeperError) return instead
  throw error
}
