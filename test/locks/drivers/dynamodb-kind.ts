/** DynamoDB, for the driver suite. */
import assert from 'node:assert/strict'
import type { DynamoDB } from '@aws-sdk/client-dynamodb'
import { dynamodb } from 'latchkey/locks'
import { clientOf, startDynamoDB, table } from '../../support/dynamodb.js'
import type { DriverKind, Stranger } from './kinds.js'

export const dynamodbKind: DriverKind = {
  name: 'DynamoDB',
  shortMs: 500,
  overMs: 900,
  remote: true,
  queues: false,
  lists: true,
  touches: false,
  registers: true,
  fences: 'token',
  granularityMs: 0,
  evicts: false,
  async start() {
    const { address, stop } = await startDynamoDB()
    const clients = [clientOf(address)]
    return {
      servers: [address],
      stranger: strangerOf(clients[0]),
      counter: () => assert.fail('the counter is in the item'),
      create() {
        const client = clientOf(address)
        clients.push(client)
        // All of them have the same clock.
        return dynamodb({ client, table, maxClockSkew: 100 })
      },
      async stop() {
        for (const client of clients) client.destroy()
        await stop()
      },
    }
  },
}

function strangerOf(client: DynamoDB): Stranger {
  return {
    async set(key, value) {
      await client.putItem({ TableName: table, Item: { lockKey: { S: key }, record: { B: value } } })
    },
    touch: () => assert.fail('lives cannot be changed from outside'),
    async delete(key) {
      await client.deleteItem({ TableName: table, Key: { lockKey: { S: key } } })
    },
  }
}
