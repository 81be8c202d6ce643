/**
 * Registers as nodes that last, `<root>/latchkey:register:<key>`. A register that was removed and begun anew counts its versions from 0
 * again: so below each is a node with the name of this life of it, a random one, and every change asks for both in one transaction.
 *
 * Nothing ends in ZooKeeper by itself. The life of a register is written down with it, and counted by the clock of the leader from when it
 * was written: who finds one that seems to be over has the leader tell the time, and takes it away.
 */
import { randomBytes } from 'node:crypto'
import type { Call, Registered, Registers, Version } from '../../driver.js'
import { LockUnavailableError } from '../../errors.js'
import { readVersion, versionOf } from '../entry-version.js'
import { Leftovers } from '../leftovers.js'
import { checkRegister, isRegister, REGISTER_PREFIX } from '../register.js'
import type { Ensemble } from './ensemble.js'
import { BAD_VERSION, NO_NODE, NODE_EXISTS, ZooKeeperError } from './errors.js'
import { type Nodes, refusal } from './nodes.js'
import { keyOf, nodeOf } from './places.js'
import { type Operation, operations, read, set, sync, transact } from './requests.js'
import type { Session } from './session.js'

/** `<life> <ttlMs> <value>`. */
const FORM = /^([0-9a-f]{16}) (\d+) (.*)$/s
/** So often others may be quicker. */
const MOST_TRIES = 100

interface Seen {
  readonly life: string
  readonly version: number
  readonly value: string
  readonly endsAt: number
}

export class ZooKeeperRegisters implements Registers {
  readonly #ensemble: Ensemble
  readonly #nodes: Nodes
  readonly #root: string
  readonly #leftovers = new Leftovers(
    (call) => this.#keys(call),
    (key, call) => this.read(key, call),
  )

  constructor(ensemble: Ensemble, nodes: Nodes, root: string) {
    this.#ensemble = ensemble
    this.#nodes = nodes
    this.#root = root
  }

  async read(key: string, call: Call): Promise<Registered | undefined> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const seen = await this.#look(key, call)
      if (seen === undefined) return undefined
      const { value, life, version } = seen
      if (Date.now() < seen.endsAt || !(await this.#isOver(key, seen, call)))
        return { value, version: versionOf(life, BigInt(version)) }
      await this.#remove(key, seen, call)
    }
    throw new LockUnavailableError(key, `${this.#at(key)} is over, and cannot be taken away`)
  }

  async swap(
    key: string,
    value: string,
    before: Version | undefined,
    ttlMs: number,
    call: Call,
  ): Promise<Version | undefined> {
    checkRegister(key, value, ttlMs)
    call.signal?.throwIfAborted()
    const written = `${Math.ceil(ttlMs)} ${value}`
    return before === undefined ? this.#begin(key, written, call) : this.#change(key, written, before, call)
  }

  settled(): Promise<void> {
    return this.#leftovers.settled()
  }

  async #begin(key: string, written: string, call: Call): Promise<Version | undefined> {
    const path = this.#at(key)
    const life = randomBytes(8).toString('hex')
    const both = [
      operations.create(this.#nodes.place(path, `${life} ${written}`, 'lasting')),
      operations.create(this.#nodes.place(`${path}/${life}`, '', 'lasting')),
    ]
    for (;;) {
      const failed = await this.#failureOf(both, key, [NODE_EXISTS, NO_NODE], call)
      if (failed === undefined) break
      if (failed === NO_NODE) await this.#nodes.makeRoot(key, call)
      else if ((await this.read(key, call)) !== undefined) return undefined
    }
    this.#leftovers.oneMore(call)
    return versionOf(life, 0n)
  }

  async #change(key: string, written: string, before: Version, call: Call): Promise<Version | undefined> {
    const path = this.#at(key)
    const { entry: life, revision } = readVersion(before)
    const both = [operations.check(`${path}/${life}`, -1), operations.set(path, `${life} ${written}`, Number(revision))]
    const failed = await this.#failureOf(both, key, [BAD_VERSION, NO_NODE], call)
    return failed === undefined ? versionOf(life, revision + 1n) : undefined
  }

  /** As new as what anybody has been told before. */
  async #look(key: string, call: Call): Promise<Seen | undefined> {
    call.signal?.throwIfAborted()
    const path = this.#at(key)
    const reading = async (main: Session) => {
      const synced = sync(main, path, call.deadlineMs)
      const [, found] = await Promise.all([synced, read(main, path, call.deadlineMs)])
      const [, life, ttlMs, value] = FORM.exec(found.data.toString()) ?? []
      // What somebody else has put there is never over, and never changed.
      if (life === undefined || value === undefined)
        return { life: 'none', version: 0, value: found.data.toString(), endsAt: Number.POSITIVE_INFINITY }
      return { life, value, version: found.stat.version, endsAt: found.stat.mtime + Number(ttlMs) }
    }
    return await this.#ensemble.ask(key, call, reading, [NO_NODE]).catch((error) => refusal(error, undefined))
  }

  /** By the clock of the leader, which it tells when something is written. */
  async #isOver(key: string, { life, endsAt }: Seen, call: Call): Promise<boolean> {
    const asking = (main: Session) => set(main, `${this.#at(key)}/${life}`, '', call.deadlineMs)
    const stat = await this.#ensemble.ask(key, call, asking, [NO_NODE]).catch((error) => refusal(error, undefined))
    return stat === undefined || stat.mtime >= endsAt
  }

  /** Unless it was changed meanwhile. */
  async #remove(key: string, { life, version }: Seen, call: Call): Promise<void> {
    const path = this.#at(key)
    const both = [operations.remove(`${path}/${life}`, -1), operations.remove(path, version)]
    const removing = (main: Session) => transact(main, both, call.deadlineMs)
    await this.#ensemble.ask(key, call, removing, [BAD_VERSION, NO_NODE]).catch((error) => refusal(error, undefined))
  }

  /** The error's code, where it is one of those. */
  async #failureOf(
    all: readonly Operation[],
    key: string,
    fine: readonly number[],
    call: Call,
  ): Promise<number | undefined> {
    try {
      await this.#ensemble.change(key, call, (main) => transact(main, all, call.deadlineMs), fine)
      return undefined
    } catch (error) {
      if (error instanceof ZooKeeperError) return error.code
      throw error
    }
  }

  async #keys(call: Call): Promise<string[]> {
    const names = await this.#nodes.children(this.#root, REGISTER_PREFIX, call)
    const keys = names.map(keyOf).filter((key) => key !== undefined && isRegister(key))
    return keys.map((key) => key?.slice(REGISTER_PREFIX.length) ?? '')
  }

  #at(key: string): string {
    return nodeOf(this.#root, REGISTER_PREFIX + key)
  }
}
