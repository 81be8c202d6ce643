/** DynamoDB, played by `dynalite` in memory. */
import type { DynamoDB, DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { dynamodb } from '../../../locks/index.js'
import type { Address } from '../wires.js'
import { startAlone } from './alone.js'
import type { Engine } from './engine.js'
import { firstMissing, packageFile } from './installed.js'

export const locksTable = 'locks'

export const dynamodbEngine: Engine = {
  missing: () =>
    firstMissing({
      'npm package dynalite': packageFile('dynalite/cli.js'),
      'npm package @aws-sdk/client-dynamodb': packageFile('@aws-sdk/client-dynamodb'),
    }),
  async start(count, estate) {
    const program = { name: 'dynalite', line: dynaliteLine }
    const [server] = await startAlone(program, count, estate)
    await createLocksTable(`${server.host}:${server.port}`)
    return [server]
  },
  async connect({ addresses: [address] }) {
    const client = await dynamodbAt(address)
    return { driver: dynamodb({ client, table: locksTable }), close: async () => client.destroy() }
  },
  strangers: { delete: remove },
}

export function dynaliteLine(host: string, port: number): string[] {
  return [
    ...[process.execPath, packageFile('dynalite/cli.js')!],
    ...['--host', host, '--port', `${port}`, '--createTableMs', '0'],
  ]
}

/** Resolves when it can be used. */
export async function createLocksTable(address: string): Promise<void> {
  const client = await dynamodbAt(address)
  await client.createTable({
    TableName: locksTable,
    KeySchema: [{ AttributeName: 'lockKey', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'lockKey', AttributeType: 'S' }],
    BillingMode: 'PAY_PER_REQUEST',
  })
  while ((await client.describeTable({ TableName: locksTable })).Table?.TableStatus !== 'ACTIVE');
  client.destroy()
}

/** As users make their client, but for the address. `maxAttempts`: how often the SDK sends one request. */
export function clientOptions(address: string, maxAttempts = 1): DynamoDBClientConfig {
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' }
  return { endpoint: `http://${address}`, region: 'nowhere', credentials, maxAttempts }
}

async function dynamodbAt(address: string): Promise<DynamoDB> {
  const { DynamoDB } = await import('@aws-sdk/client-dynamodb')
  return new DynamoDB(clientOptions(address))
}

async function remove(key: string, { host, port }: Address): Promise<void> {
  const client = await dynamodbAt(`${host}:${port}`)
  await client.deleteItem({ TableName: locksTable, Key: { lockKey: { S: key } } })
  client.destroy()
}
