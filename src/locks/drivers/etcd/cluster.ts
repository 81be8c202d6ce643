/** The cluster as the driver asks it: every answer is looked at for what it says of the cluster's past, and leases do not stay for nothing. */
import type { Call } from '../../driver.js'
import { OutcomeUnknownError } from '../../errors.js'
import { lifeMs } from '../life.js'
import type { EtcdApi } from './api.js'
import type { History } from './history.js'
import type { Json, Txn, TxnReply } from './messages.js'

export class Cluster {
  readonly #api: EtcdApi
  readonly #history: History
  /** What is tidied up behind the callers' backs. */
  readonly #chores = new Set<Promise<unknown>>()

  constructor(api: EtcdApi, history: History) {
    this.#api = api
    this.#history = history
  }

  /** Of whole seconds, longer rather than shorter. */
  grant(ttlMs: number, lock: string, call: Call): Promise<bigint> {
    return this.#api.grant(Math.ceil(lifeMs(ttlMs) / 1000), lock, call)
  }

  /** The lease does not stay when nothing was attached to it; where that is not known, it does for whoever looks. */
  async attach(lease: bigint, txn: Txn, lock: string, call: Call): Promise<TxnReply> {
    try {
      call.signal?.throwIfAborted()
      return await this.change(txn, lock, call)
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError)) this.giveBack(lease, lock, call)
      throw error
    }
  }

  change(txn: Txn, lock: string, call: Call): Promise<TxnReply> {
    return this.#seen(() => this.#api.txn(txn, lock, call), call)
  }

  read(operations: readonly Json[], lock: string, call: Call): Promise<TxnReply> {
    return this.#seen(() => this.#api.read(operations, lock, call), call)
  }

  /** Nobody waits for it but `settled`; a lease that could not be given back ends by itself. */
  giveBack(lease: bigint | undefined, lock: string, call: Call): void {
    if (lease === undefined || lease === 0n) return
    const chore = this.#api.revoke(lease, lock, call).catch(() => {})
    this.#chores.add(chore)
    void chore.then(() => this.#chores.delete(chore))
  }

  async settled(): Promise<void> {
    await Promise.all(this.#chores)
  }

  async #seen(ask: () => Promise<TxnReply>, call: Call): Promise<TxnReply> {
    const { floor } = this.#history
    const reply = await ask()
    this.#history.saw(reply, floor, call)
    return reply
  }
}
