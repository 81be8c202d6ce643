/** DynamoDB through faults: lost requests, requests that the SDK sends again, clocks that are wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DynamoDB } from '@aws-sdk/client-dynamodb'
import { createLocks, dynamodb, type LockDriver, LockUnavailableError, OutcomeUnknownError } from 'latchkey/locks'
import { clientOf, type DynamoDBServer, startDynamoDB, table } from '../../support/dynamodb.js'
import { HttpFaults } from '../../support/http-faults.js'
import { call, claimOf, clock, held, ownerOf } from './case.js'
import { stepCases } from './step-cases.js'

interface Setting {
  readonly server: DynamoDBServer
  readonly client: DynamoDB
  create(client?: DynamoDB): LockDriver
}

async function withDynamoDB(run: (setting: Setting) => Promise<void>): Promise<void> {
  const server = await startDynamoDB()
  const client = clientOf(server.address)
  try {
    await run({ server, client, create: (own = client) => dynamodb({ client: own, table }) })
  } finally {
    client.destroy()
    await server.stop()
  }
}

async function throughFaults(server: DynamoDBServer, maxAttempts: number, witness: LockDriver): Promise<void> {
  for (const [name, run] of Object.entries(stepCases)) {
    // With tries of its own, the SDK hides a single loss.
    if (maxAttempts > 1 && !name.startsWith('a question')) continue
    const faults = await HttpFaults.start({ host: server.host, port: server.port })
    const client = clientOf(faults.address, maxAttempts)
    await run({ faults, witness, create: () => dynamodb({ client, table }) })
    client.destroy()
    await faults.stop()
  }
}

test('every request lost in turn, with tries of the SDK or without', () =>
  withDynamoDB(async ({ server, create }) => {
    const witness = create()
    for (const maxAttempts of [1, 3]) await throughFaults(server, maxAttempts, witness)
  }))

test('what the SDK sends again after a lost reply is known for what has been done', () =>
  withDynamoDB(async ({ server, create }) => {
    const faults = await HttpFaults.start({ host: server.host, port: server.port })
    const client = clientOf(faults.address, 3)
    const [driver, witness] = [create(client), create()]
    const mine = claimOf('latchkey:lock:k')
    faults.lose(0, 'reply')
    const lease = held(await driver.claim(mine, call))
    assert.equal((await witness.find(mine.key, call))?.version, lease.version)
    faults.lose(0, 'reply')
    const extended = await driver.extend(lease, 20_000, call)
    assert.equal((await witness.find(mine.key, call))?.version, extended?.version)
    faults.lose(0, 'reply')
    assert.equal(await driver.release(mine.key, extended!.version, call), true)
    faults.lose(0, 'reply')
    const version = await driver.registers!.swap(mine.key, 'a', undefined, 20_000, call)
    assert.deepEqual(await witness.registers!.read(mine.key, call), { value: 'a', version })
    assert.equal(await driver.release(mine.key, extended!.version, call), false)
    assert.ok(held(await witness.claim(claimOf(mine.key), call)).fence! > lease.fence!)
    client.destroy()
    await faults.stop()
  }))

test('a swap that the SDK has sent again, and another has changed since, is not said to be refused', () =>
  withDynamoDB(async ({ client, create }) => {
    const [key, witness] = ['latchkey:lock:k', create().registers!]
    const first = await witness.swap(key, 'a', undefined, 20_000, call)
    const after: Record<string, () => Promise<unknown>> = {
      nothing: async () => undefined,
      'another’s swap': async () => witness.swap(key, 'c', (await witness.read(key, call))?.version, 20_000, call),
      'a server that is down': async () => {
        again.getItem = () => Promise.reject(Object.assign(new Error('down'), { code: 'ECONNREFUSED' }))
      },
    }
    const again = { ...boundTo(client), describeTable: client.describeTable.bind(client) }
    let next = ''
    // The reply to the first try is lost; the second is refused, since the first was carried out.
    again.updateItem = (async (input: never, options: never) => {
      await client.updateItem(input, options)
      await after[next]()
      const error = await client.updateItem(input, options).catch((error) => error)
      error.$metadata.attempts = 2
      throw error
    }) as never
    const { registers } = dynamodb({ client: again, table })
    let before = first
    next = 'nothing'
    before = await registers!.swap(key, 'b', before, 20_000, call)
    assert.deepEqual(await witness.read(key, call), { value: 'b', version: before })
    next = 'another’s swap'
    await assert.rejects(registers!.swap(key, 'b', before, 20_000, call), OutcomeUnknownError)
    before = (await witness.read(key, call))?.version
    next = 'a server that is down'
    await assert.rejects(registers!.swap(key, 'd', before, 20_000, call), OutcomeUnknownError)
    assert.equal((await witness.read(key, call))?.value, 'd')
  }))

test('a lock is over when its version has been the same for a whole lease, whatever its holder’s clock says', () =>
  withDynamoDB(async ({ client, create }) => {
    const ttlMs = 700
    const wrongByMs = 4 * 60_000
    const watch = async (offMs: number) => {
      const [one, other] = [create(), create()]
      const mine = claimOf(`latchkey:lock:${offMs}`, { ttlMs })
      const lease = held(await one.claim(mine, call))
      await client.updateItem({
        TableName: table,
        Key: { lockKey: { S: mine.key } },
        UpdateExpression: 'SET endsAt = endsAt + :off',
        ExpressionAttributeValues: { ':off': { N: `${offMs}` } },
      })
      await sleep(ttlMs)
      // It is over for its holder, but this one has not seen it before.
      const seenAt = clock.now()
      assert.equal((await other.claim(claimOf(mine.key), call)).status, 'busy')
      let next = await other.claim(claimOf(mine.key), call)
      while (next.status === 'busy') {
        await sleep(10)
        next = await other.claim(claimOf(mine.key), call)
      }
      assert.ok(clock.now() - seenAt >= ttlMs, `after ${clock.now() - seenAt} ms`)
      assert.ok(next.lease.fence! > lease.fence!)
      assert.equal(await one.extend(lease, ttlMs, call), undefined)
    }
    await Promise.all([-wrongByMs, 0, wrongByMs].map(watch))
  }))

test('who extends in time keeps it from those who watch, as long as they like', () =>
  withDynamoDB(async ({ create }) => {
    const [ours, theirs] = [create(), create()].map((driver) => createLocks(driver, { deadlineMs: 20_000 }))
    const lock = await ours.acquire('k', { ttl: '700ms' })
    await assert.rejects(theirs.acquire('k', { wait: '2s' }), { code: 'LOCK_WAIT_TIMEOUT' })
    lock.assertHeld()
    await Promise.all([ours.close(), theirs.close()])
  }))

test('one that is over for longer than clocks can be wrong is over for who sees it first', () =>
  withDynamoDB(async ({ client, create }) => {
    const lease = held(await create().claim(claimOf('latchkey:lock:k'), call))
    await client.updateItem({
      TableName: table,
      Key: { lockKey: { S: lease.key } },
      UpdateExpression: 'SET endsAt = endsAt - :long',
      ExpressionAttributeValues: { ':long': { N: `${6 * 60_000}` } },
    })
    const driver = create()
    assert.equal(await ownerOf(driver, lease.key), undefined)
    assert.equal(await driver.extend(lease, 20_000, call), undefined)
    held(await driver.claim(claimOf(lease.key), call))
  }))

test('a table that is not there, or refuses, is unavailable; a global table is said not to be safe', () =>
  withDynamoDB(async ({ client, create }) => {
    const nowhere = dynamodb({ client, table: 'nothing-here' })
    await assert.rejects(nowhere.claim(claimOf('k'), call), LockUnavailableError)
    const locks = createLocks(create())
    const verdictOf = async (own: typeof locks) => {
      const { faults } = await own.explain('k', 'lease')
      return faults.find(({ fault }) => fault === 'another server takes over')?.verdict
    }
    assert.equal(await verdictOf(locks), 'survived')
    const global = { ...boundTo(client), describeTable: async () => ({ Table: { Replicas: [{}] } }) }
    assert.equal(await verdictOf(createLocks(dynamodb({ client: global, table }))), 'not survived')
  }))

test('options of DynamoDB that make no sense are refused', () => {
  const client = clientOf('127.0.0.1:1')
  const wrong = [{}, { client }, { table }, { client: {}, table }, { client, table, maxClockSkew: 'x' }]
  for (const options of [...wrong, { client, table, nothing: 1 }])
    assert.throws(() => dynamodb(options as never), { code: 'LOCK_ARGUMENT' })
  client.destroy()
})

function boundTo(client: DynamoDB) {
  return {
    updateItem: client.updateItem.bind(client),
    getItem: client.getItem.bind(client),
    scan: client.scan.bind(client),
  }
}
