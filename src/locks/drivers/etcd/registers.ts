/**
 * Registers as keys of etcd: each swap is a transaction that compares the revision of the last one, and attaches the key to a lease that is
 * new and ends with it.
 */
import type { Call, Registered, Registers, Version } from '../../driver.js'
import { checkRegister, REGISTER_PREFIX } from '../register.js'
import type { Cluster } from './cluster.js'
import { base64, type Json } from './messages.js'
import { isUnchanged, put } from './places.js'

export class EtcdRegisters implements Registers {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async read(key: string, call: Call): Promise<Registered | undefined> {
    call.signal?.throwIfAborted()
    const range = { request_range: { key: base64(REGISTER_PREFIX + key) } }
    const { ranges } = await this.#cluster.read([range], key, call)
    const kv = ranges[0]?.kvs[0]
    return kv && { value: kv.value.toString(), version: kv.modRevision }
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
    const at = REGISTER_PREFIX + key
    const fresh = await this.#cluster.grant(ttlMs, key, call)
    const compare = before === undefined ? isAbsent(at) : isUnchanged(at, BigInt(before))
    const txn = { compare: [compare], success: [put(at, value, fresh)] }
    const { succeeded, previous, revision } = await this.#cluster.attach(fresh, txn, key, call)
    // No key is attached any more to the one that is given back.
    this.#cluster.giveBack(succeeded ? previous?.lease : fresh, key, call)
    return succeeded ? revision : undefined
  }
}

function isAbsent(key: string): Json {
  return { key: base64(key), target: 'CREATE', result: 'EQUAL', create_revision: '0' }
}
