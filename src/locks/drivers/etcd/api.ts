/** The requests of etcd that locks are made of. */
import { randomBytes } from 'node:crypto'
import type { Call } from '../../driver.js'
import type { Gateway } from './gateway.js'
import { base64, type Json, type Txn, type TxnReply, txnReply } from './messages.js'

const LEASE_NOT_FOUND = 'requested lease not found'

export class EtcdApi {
  readonly #gateway: Gateway

  constructor(gateway: Gateway) {
    this.#gateway = gateway
  }

  /** A new lease of so many seconds or, where that is below what etcd grants at all, more. Unanswered, it has done no harm. */
  async grant(seconds: number, lock: string, call: Call): Promise<bigint> {
    const id = BigInt.asUintN(63, randomBytes(8).readBigUInt64BE()) | 1n
    await this.#gateway.ask('/v3/lease/grant', { TTL: seconds, ID: `${id}` }, lock, call)
    return id
  }

  /** With all keys that are attached to it. True also when there was none any more. */
  async revoke(lease: bigint, lock: string, call: Call): Promise<void> {
    await this.#gateway.change('/v3/lease/revoke', { ID: `${lease}` }, lock, call, LEASE_NOT_FOUND)
  }

  async keepAlive(lease: bigint, lock: string, call: Call): Promise<void> {
    await this.#gateway.ask('/v3/lease/keepalive', { ID: `${lease}` }, lock, call)
  }

  /** Milliseconds; undefined when it is over. */
  async timeToLive(lease: bigint, lock: string, call: Call): Promise<number | undefined> {
    const { TTL = '0' } = await this.#gateway.ask('/v3/lease/timetolive', { ID: `${lease}` }, lock, call)
    const seconds = Number(TTL)
    return seconds < 0 ? undefined : seconds * 1000
  }

  /** One that changes something. */
  async txn(txn: Txn, lock: string, call: Call): Promise<TxnReply> {
    return txnReply(await this.#gateway.change('/v3/kv/txn', txn, lock, call))
  }

  /** One of ranges only. */
  async read(success: readonly Json[], lock: string, call: Call): Promise<TxnReply> {
    return txnReply(await this.#gateway.ask('/v3/kv/txn', { success }, lock, call))
  }

  async status(lock: string, call: Call): Promise<{ version: string; members: number; where: string }> {
    const { version } = await this.#gateway.ask('/v3/maintenance/status', {}, lock, call)
    const { members } = await this.#gateway.ask('/v3/cluster/member/list', {}, lock, call)
    return { version: `${version}`, members: (members as unknown[]).length, where: this.#gateway.where }
  }

  /** True as soon as the key was deleted after that revision, or may have been; false when that was not seen, after `ms` at the latest. */
  untilDeleted(key: string, since: bigint, ms: number, signal: AbortSignal | undefined): Promise<boolean> {
    const create = { key: base64(key), start_revision: `${since + 1n}`, filters: ['NOPUT'] }
    // What tells of no event is the answer that it watches; or that it cannot, and then it ends.
    const hasEvent = (line: string) => /"events":|"compact_revision":/.test(line)
    return this.#gateway.follow('/v3/watch', { create_request: create }, hasEvent, ms, signal)
  }
}
