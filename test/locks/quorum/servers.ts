/** Servers of a quorum, each behind a proxy, so that it keeps its address when it is cut off or starts again. */
import { type LockDriver, memcached, quorumOf } from 'latchkey/locks'
import { FaultProxy } from 'latchkey/torture'
import { type ServerProcess, startLatchkey } from '../../support/process.js'

/** As short as a test bears: a server that has started has no vote for so long, and three seconds. */
export const MAX_LEASE_MS = 3000

export interface Member {
  readonly server: ServerProcess
  readonly proxy: FaultProxy
  /** Straight to this server, whatever its age. */
  readonly direct: LockDriver
}

export class Servers {
  readonly #members: Member[]
  readonly #drivers: LockDriver[] = []

  private constructor(members: Member[]) {
    this.#members = members
  }

  static async start(count: number): Promise<Servers> {
    const started = Array.from({ length: count }, async () => memberOf(await startLatchkey({ threads: 1 })))
    return new Servers(await Promise.all(started))
  }

  member(at: number): Member {
    return this.#members[at]
  }

  get all(): readonly Member[] {
    return this.#members
  }

  /** One more client's view of them; `freshServers: 'wait'` has the restarted wait for their vote. */
  quorum(freshServers: 'trust' | 'wait' = 'trust'): LockDriver {
    const members = this.#members.map(({ proxy: { host, port } }) =>
      memcached({
        servers: `${host}:${port}`,
        maxLease: freshServers === 'wait' ? MAX_LEASE_MS : '1m',
        freshServers,
        reconnect: { minMs: 5, maxMs: 50 },
      }),
    )
    const driver = quorumOf(members)
    this.#drivers.push(driver)
    return driver
  }

  /** Killed, and started again with nothing, on its own port. */
  async restart(at: number): Promise<void> {
    const { server, proxy, direct } = this.#members[at]
    process.kill(server.pid, 'SIGKILL')
    await server.ended
    await direct.close()
    const again = await startLatchkey({ threads: 1, args: ['-p', `${server.port}`] })
    this.#members[at] = { server: again, proxy, direct: directTo(again) }
  }

  async stop(): Promise<void> {
    for (const driver of this.#drivers) await driver.close()
    for (const { server, proxy, direct } of this.#members) {
      await direct.close()
      await proxy.stop()
      if (server.alive()) process.kill(server.pid, 'SIGCONT')
      await server.stop()
    }
  }
}

async function memberOf(server: ServerProcess): Promise<Member> {
  return { server, proxy: await FaultProxy.start(server), direct: directTo(server) }
}

function directTo({ host, port }: ServerProcess): LockDriver {
  return memcached({ servers: `${host}:${port}`, freshServers: 'trust' })
}
