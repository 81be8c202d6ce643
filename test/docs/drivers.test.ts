/** The examples of the drivers' pages are compiled and run as they stand, but for the address of the server. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startConsul } from '../support/consul.js'
import { startDynamoDB } from '../support/dynamodb.js'
import { requireEtcd, startEtcd } from '../support/etcd.js'
import { examplesOf, runExamples } from '../support/examples.js'
import { Postgres, requirePostgres } from '../support/postgres.js'
import { startLatchkey } from '../support/process.js'
import { RedisServer, requireRedis } from '../support/redis.js'
import { requireZooKeeper, startZooKeeper } from '../support/zookeeper.js'

interface Server {
  /** The example, for this server. */
  fitted(code: string): string
  stop(): Promise<unknown>
}

const servers: Record<string, (t: TestContext) => Promise<Server | undefined>> = {
  async consul() {
    const { address, stop } = await startConsul()
    return { fitted: (code) => code.replace('localhost:8500', address), stop }
  },
  async dynamodb() {
    const { address, stop } = await startDynamoDB()
    const options = `{ endpoint: 'http://${address}', credentials: { accessKeyId: 'id', secretAccessKey: 'secret' }, `
    return { fitted: (code) => code.replace('DynamoDB({ ', `DynamoDB(${options}`), stop }
  },
  async etcd(t) {
    if (!requireEtcd(t)) return undefined
    const { endpoints, stop } = await startEtcd()
    return { fitted: (code) => code.replace('localhost:2379', endpoints[0]), stop }
  },
  async quorum() {
    const members = await Promise.all([1, 2, 3].map(() => startLatchkey({ threads: 1 })))
    const addresses = members.map(({ host, port }) => `'${host}:${port}'`)
    return {
      fitted: (code) => code.replace(/servers: \[.*\]/, `servers: [${addresses}], freshServers: 'trust'`),
      stop: () => Promise.all(members.map((member) => member.stop())),
    }
  },
  async postgres(t) {
    if (!requirePostgres(t)) return undefined
    const server = await Postgres.start()
    const { PGHOST, PGPORT, PGUSER, PGDATABASE } = server.environment
    const options = { host: PGHOST, port: Number(PGPORT), user: PGUSER, database: PGDATABASE }
    const fitted = (code: string) => code.replace("host: 'localhost'", JSON.stringify(options).slice(1, -1))
    return { fitted, stop: () => server.stop() }
  },
  async redis(t) {
    if (!requireRedis(t)) return undefined
    const server = await RedisServer.start()
    const fitted = (code: string) =>
      code
        .replace('localhost:6379', `${server.host}:${server.port}`)
        .replace('{ client }', "{ client, freshServers: 'trust' }")
    return { fitted, stop: () => server.stop() }
  },
  async zookeeper(t) {
    if (!requireZooKeeper(t)) return undefined
    const { servers, stop } = await startZooKeeper()
    return { fitted: (code) => code.replace('localhost:2181', servers[0]), stop }
  },
}

test('the examples of docs/drivers, each with its server', { concurrency: true }, async (t) => {
  const started: [engine: string, server: Server][] = []
  const starting = Object.entries(servers).map(([engine, start]) =>
    t.test(engine, async (own) => {
      const server = await start(own)
      if (server !== undefined) started.push([engine, server])
    }),
  )
  try {
    await Promise.all(starting)
    // Compiled together: that takes the most time.
    const said = runExamples('drivers', started.map(fittedExample))
    for (const [i, text] of said.entries()) assert.match(text, /^\d+n\n$/, started[i][0])
  } finally {
    for (const [, server] of started) await server.stop()
  }
})

function fittedExample([engine, server]: [engine: string, server: Server]): string {
  const examples = examplesOf(`docs/drivers/${engine}.md`)
  assert.equal(examples.length, 1, engine)
  return server.fitted(examples[0])
}
