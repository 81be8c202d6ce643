/** A DynamoDB of a test's own: `dynalite`, as a process, in memory, with one table for locks. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { DynamoDB } from '@aws-sdk/client-dynamodb'
import { freePorts } from './ports.js'
import { projectRoot } from './root.js'

const program = join(projectRoot, 'node_modules/dynalite/cli.js')

export const table = 'locks'

export interface DynamoDBServer {
  readonly host: string
  readonly port: number
  readonly address: string
  stop(): Promise<void>
}

export async function startDynamoDB(): Promise<DynamoDBServer> {
  const [port] = await freePorts(1)
  const address = `127.0.0.1:${port}`
  const line = [program, '--host', '127.0.0.1', '--port', `${port}`, '--createTableMs', '0']
  const child = spawn(process.execPath, line, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  const orphan = () => child.kill('SIGKILL')
  process.once('exit', orphan)
  const stop = async () => {
    process.removeListener('exit', orphan)
    child.kill('SIGKILL')
    await ended
  }
  try {
    const [said] = await Promise.race([once(child.stdout, 'data'), ended])
    if (!/listening/.test(`${said}`)) throw new Error(`dynalite does not start: ${said}`)
    await createTable(address)
  } catch (error) {
    await stop()
    throw error
  }
  return { host: '127.0.0.1', port, address, stop }
}

async function createTable(address: string): Promise<void> {
  const client = clientOf(address)
  await client.createTable({
    TableName: table,
    KeySchema: [{ AttributeName: 'lockKey', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'lockKey', AttributeType: 'S' }],
    BillingMode: 'PAY_PER_REQUEST',
  })
  while ((await client.describeTable({ TableName: table })).Table?.TableStatus !== 'ACTIVE');
  client.destroy()
}

/** As users make it, but for the address. `maxAttempts`: how often the SDK sends one request. */
export function clientOf(address: string, maxAttempts = 1): DynamoDB {
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' }
  return new DynamoDB({ endpoint: `http://${address}`, region: 'nowhere', credentials, maxAttempts })
}
