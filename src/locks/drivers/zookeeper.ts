/**
 * Locks on ZooKeeper 3.5 or later. Who wants a lock has an ephemeral node in a queue, and the transaction that created it is the fence.
 * A lease is a session of its own, which nobody prolongs: the leader ends it when its timeout is over. Pings are answered by the server
 * that one is connected to, which tells the leader later, or never; a new session is agreed on by a majority. So every extension begins
 * a new session and replaces the node by one of that, in one transaction.
 */
import type { Call, Claim, ClaimResult, Facts, Found, Lease, LockDriver, Version } from '../driver.js'
import { LockArgumentError, OutcomeUnknownError } from '../errors.js'
import { checkKeys } from '../settings.js'
import { readVersion, versionOf } from './entry-version.js'
import { lifeMs } from './life.js'
import { encodeRecord } from './record.js'
import { isRegister } from './register.js'
import { Ensemble } from './zookeeper/ensemble.js'
import { Kept } from './zookeeper/kept.js'
import { Nodes } from './zookeeper/nodes.js'
import { extended, keyOf, nodeOf, placeOf } from './zookeeper/places.js'
import { ZooKeeperRegisters } from './zookeeper/registers.js'
import { type Created, create, operations, transact } from './zookeeper/requests.js'
import { serverInfo } from './zookeeper/server-info.js'
import { BAD_VERSION, NO_NODE, type Session, ZooKeeperError } from './zookeeper/session.js'
import { predecessor, type Queue, waitTurn } from './zookeeper/turn.js'

/** Each has a connection; a server takes 60 from one address unless it is told otherwise. More of one driver ask again and again. */
const MOST_WAITERS = 32
const CLOSE_MS = 1000
/** A timeout has 32 bits. */
const LONGEST_MS = 2 ** 31 - 1

export interface ZooKeeperOptions {
  /** Of one ensemble, any number of its servers: `localhost:2181`, which is the default. */
  servers?: string | readonly string[]
  /** The node that all locks are below; made if it is missing. Default `/latchkey`. */
  root?: string
  /** `user:password`: locks are then this account's only (scheme `digest`). */
  digest?: string
}

/** Throws LockArgumentError for options that make no sense. */
export function zookeeper(options: ZooKeeperOptions = {}): LockDriver {
  return new ZooKeeperDriver(options)
}

/** For `remake`. */
export default zookeeper

const OPTIONS = { servers: 1, root: 1, digest: 1 } satisfies Record<keyof ZooKeeperOptions, 1>
const ROOT = /^(\/[\w-]+)+$/

class ZooKeeperDriver implements LockDriver {
  readonly kind = 'zookeeper'
  readonly remake: LockDriver['remake']
  readonly registers: ZooKeeperRegisters
  readonly #ensemble: Ensemble
  readonly #root: string
  readonly #nodes: Nodes
  readonly #kept = new Kept()
  #waiters = 0

  constructor(options: ZooKeeperOptions) {
    checkKeys(options, OPTIONS)
    const { servers = 'localhost:2181', root = '/latchkey', digest } = options
    if (!ROOT.test(root)) throw new LockArgumentError('root is a path of letters, digits, - and _, such as /latchkey')
    this.#ensemble = new Ensemble(servers, digest)
    this.#root = root
    this.#nodes = new Nodes(this.#ensemble, root, digest !== undefined)
    this.registers = new ZooKeeperRegisters(this.#ensemble, this.#nodes, root)
    this.remake = { module: import.meta.url, options }
  }

  async claim(claim: Claim, call: Call): Promise<ClaimResult> {
    const { key, name, ttlMs } = claim
    call.signal?.throwIfAborted()
    const waits = claim.waitMs >= 1 && this.#waiters < MOST_WAITERS
    const found = waits ? undefined : await this.find(key, call)
    if (found !== undefined) return { status: 'busy', found, queued: false }
    const from = call.clock.now()
    const session = await this.#session(ttlMs, name, call)
    const { path, stat } = await this.#enter(session, claim, call)
    const node = nodeOf(this.#root, key)
    const queue = { ensemble: this.#ensemble, session, name, node, place: path.slice(node.length + 1) }
    const lease = leaseOf(claim, queue.place, stat.czxid, from)
    if (waits) return await this.#wait(claim, queue, lease, call)
    if ((await predecessor(queue, call)) === undefined) return this.#held(lease, session)
    await this.#leave(session, 'another was before it', call)
    return { status: 'busy', found: undefined, queued: false }
  }

  async extend(lease: Lease, ttlMs: number, call: Call): Promise<Lease | undefined> {
    const { key, name, holder, fence, version } = lease
    call.signal?.throwIfAborted()
    const old = readVersion(version)
    const place = placeOf(old.entry)
    if (place === undefined) return undefined
    const from = call.clock.now()
    const session = await this.#session(ttlMs, name, call)
    const node = nodeOf(this.#root, key)
    const before = operations.remove(`${node}/${old.entry}`, Number(old.revision))
    const next = this.#nodes.place(`${node}/${extended(place)}`, encodeRecord(holder, fence ?? 'none'), 'ephemeral')
    const replacing = () => transact(session, [before, operations.create(next)], call.deadlineMs).then(() => true)
    if (!(await this.#changing(session, name, call, replacing, [NO_NODE, BAD_VERSION]))) {
      this.#ensemble.end(session, call)
      return undefined
    }
    this.#end(String(version), call)
    const after = versionOf(extended(place), 0n)
    this.#kept.keep(after, session)
    return { ...lease, version: after, from, granularityMs: 0 }
  }

  async release(key: string, version: Version, call: Call): Promise<boolean> {
    call.signal?.throwIfAborted()
    const { entry, revision } = readVersion(version)
    const path = `${nodeOf(this.#root, key)}/${entry}`
    const isGone = await this.#nodes.remove(path, Number(revision), key, call)
    if (isGone) this.#end(String(version), call)
    return isGone
  }

  find(key: string, call: Call): Promise<Found | undefined> {
    return this.#nodes.find(key, call)
  }

  async *list(keyPrefix: string, call: Call): AsyncGenerator<Found> {
    for (const name of await this.#nodes.children(this.#root, keyPrefix, call)) {
      const key = keyOf(name)
      const found = key?.startsWith(keyPrefix) && !isRegister(key) ? await this.find(key, call) : undefined
      if (found !== undefined) yield found
    }
  }

  async facts(key: string, call: Call): Promise<Facts> {
    const where = await this.#ensemble.ask(key, call, async (main) => main.where)
    const { version, alone } = await serverInfo(where, call.deadlineMs)
    return {
      what: `ZooKeeper ${version} at ${where}`,
      evicts: false,
      survivesRestart: true,
      durable: true,
      granularityMs: 0,
      queues: true,
      replicas: alone ? undefined : 'majority',
      remote: true,
      notes: [
        'A lease lasts no longer than maxSessionTimeout of the servers, 40 s unless they are told otherwise; longer ones are refused. After a crash it may last up to a tick longer, or minSessionTimeout if that is more.',
        'An ensemble that has lost its data does not let those in who were connected before. New ones it does: start them after the longest lease; its fences begin anew.',
      ],
    }
  }

  async close(): Promise<void> {
    this.#kept.close()
    await this.registers.settled()
    await this.#ensemble.close(CLOSE_MS)
  }

  async #wait(claim: Claim, queue: Queue, lease: Lease, call: Call): Promise<ClaimResult> {
    const { session } = queue
    session.keepAlive()
    this.#waiters++
    try {
      if (await waitTurn(queue, call.clock.now() + claim.waitMs, call)) {
        const extension = await this.extend(lease, claim.ttlMs, call)
        if (extension === undefined) throw new OutcomeUnknownError(new Error('its place in the queue was lost'))
        this.#ensemble.end(session, call)
        return { status: 'held', lease: extension }
      }
    } catch (error) {
      // What may be there by then is not of this session.
      if (error instanceof OutcomeUnknownError) this.#ensemble.end(session, call)
      else await this.#leave(session, error, call)
      throw error
    } finally {
      this.#waiters--
    }
    await this.#leave(session, 'the wait is over', call)
    const found = await this.find(claim.key, { ...call, signal: undefined }).catch(() => undefined)
    return { status: 'busy', found, queued: true }
  }

  /** One that lives as long as the lease, counted from when this was called at the earliest. */
  async #session(ttlMs: number, name: string, call: Call): Promise<Session> {
    const timeoutMs = lifeMs(ttlMs)
    const session = await this.#ensemble.open(Math.min(timeoutMs, LONGEST_MS), name, call)
    if (session.timeoutMs >= timeoutMs) return session
    this.#ensemble.end(session, call)
    const why = `ZooKeeper grants ${session.timeoutMs} ms at most (maxSessionTimeout), and not ${timeoutMs}`
    throw new LockArgumentError(why, name)
  }

  /** A place at the end of the queue. */
  async #enter(session: Session, { key, name, holder, guarantee }: Claim, call: Call): Promise<Created> {
    const record = encodeRecord(holder, guarantee === 'fenced' ? 'token' : 'none')
    const place = this.#nodes.place(`${nodeOf(this.#root, key)}/${holder.owner}-`, record, 'numbered')
    for (;;) {
      const created = await this.#changing(session, name, call, () => create(session, place, call.deadlineMs), [
        NO_NODE,
      ])
      if (created !== undefined) return created
      await this.#nodes.make(key, call)
    }
  }

  /** undefined where ZooKeeper refuses it as is `fine`. The session does not stay when nothing was created in it. */
  async #changing<R>(
    session: Session,
    name: string,
    call: Call,
    run: () => Promise<R>,
    fine: readonly number[],
  ): Promise<R | undefined> {
    try {
      call.signal?.throwIfAborted()
      return await this.#ensemble.on(session, name, true, run, fine)
    } catch (error) {
      if (error instanceof ZooKeeperError) return undefined
      this.#ensemble.end(session, call)
      throw error
    }
  }

  #held(lease: Lease, session: Session): ClaimResult {
    this.#kept.keep(String(lease.version), session)
    return { status: 'held', lease }
  }

  /** With its session the place goes. */
  async #leave(session: Session, reason: unknown, { deadlineMs }: Call): Promise<void> {
    try {
      await session.close(deadlineMs)
    } catch {
      throw new OutcomeUnknownError(reason)
    }
  }

  /** The session of a lock that is no more, if it was begun here; else it ends by its timeout. */
  #end(version: string, call: Call): void {
    const session = this.#kept.take(version)
    if (session?.isOpen) this.#ensemble.end(session, call)
  }
}

function leaseOf({ key, name, holder, guarantee }: Claim, place: string, czxid: bigint, from: number): Lease {
  const fence = guarantee === 'fenced' ? czxid : undefined
  return { key, name, holder, guarantee, fence, version: versionOf(place, 0n), from, granularityMs: 0 }
}
