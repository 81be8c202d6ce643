import { setTimeout as sleep } from 'node:timers/promises'
import { coreBusyNs, processCpuNs } from '../support/cpu.js'
import { connectionCount, type Wire } from './cases.js'
import { BatchConnection } from './connection.js'
import { checkReply, type Pool } from './requests.js'

export interface Span {
  operations: number
  wallNs: number
  serverCpuNs: number
  generatorCpuNs: number
  /** What others took of the two cores. */
  foreignCpuNs: number
}

export interface Target {
  pid: number
  port: number
}

/** The connections to one server, kept open over all its measurements. */
export class Load {
  private constructor(
    readonly target: Target,
    readonly cores: readonly number[],
    readonly connections: readonly BatchConnection[],
  ) {}

  static async open(target: Target, cores: readonly number[], wire: Wire): Promise<Load> {
    const connections: BatchConnection[] = []
    while (connections.length < connectionCount)
      connections.push(await BatchConnection.open(target.port, wire === 'tls'))
    return new Load(target, cores, connections)
  }

  close(): void {
    for (const { socket } of this.connections) socket.removeAllListeners('end').destroy()
  }

  /** Sends the whole pool once over one connection. With `check`, compares every reply byte by byte. */
  async once(pool: Pool, check: boolean, batchLimit = pool.batches.length): Promise<void> {
    const connection = this.connections[0]
    for (const batch of pool.batches.slice(0, batchLimit)) {
      const pieces: Buffer[] = []
      if (check) connection.onBytes = (bytes) => pieces.push(Buffer.from(bytes))
      await new Promise<void>((resolve) => {
        connection.onReply = () => resolve()
        connection.send(batch.bytes, pool.replyBytes)
      })
      connection.onBytes = undefined
      if (check) checkReply(Buffer.concat(pieces).toString('latin1'), pool, batch.keys)
    }
  }

  /** Keeps all connections busy for `durationMs`, waits for the last reply, and says what it took. */
  async run(pool: Pool, durationMs: number): Promise<Span> {
    const before = this.#readings()
    const batches = await this.#keepBusy(pool, durationMs)
    const after = this.#readings()
    const serverCpuNs = after.serverNs - before.serverNs
    const generatorCpuNs = after.generatorNs - before.generatorNs
    return {
      operations: batches * pool.depth,
      wallNs: Number(after.wall - before.wall),
      serverCpuNs,
      generatorCpuNs,
      foreignCpuNs: Math.max(0, after.busyNs - before.busyNs - serverCpuNs - generatorCpuNs),
    }
  }

  async #keepBusy(pool: Pool, durationMs: number): Promise<number> {
    const { batches, replyBytes } = pool
    let stopping = false
    let completed = 0
    let busy = this.connections.length
    const drained = new Promise<void>((resolve) => {
      const next = (connection: BatchConnection) => {
        if (++connection.position === batches.length) connection.position = 0
        connection.send(batches[connection.position].bytes, replyBytes)
      }
      const onReply = (connection: BatchConnection) => {
        completed++
        if (!stopping) next(connection)
        else if (--busy === 0) resolve()
      }
      this.connections.forEach((connection, index) => {
        connection.onReply = onReply
        connection.position = Math.floor((index * batches.length) / this.connections.length)
        next(connection)
      })
    })
    await sleep(durationMs)
    stopping = true
    await drained
    return completed
  }

  #readings() {
    return {
      serverNs: processCpuNs(this.target.pid),
      generatorNs: processCpuNs(process.pid),
      busyNs: this.cores.reduce((sum, core) => sum + coreBusyNs(core), 0),
      wall: process.hrtime.bigint(),
    }
  }
}
