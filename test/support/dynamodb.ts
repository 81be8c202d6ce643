/** A DynamoDB of a test's own: `dynalite`, as a process, in memory, with one table for locks. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { DynamoDB } from '@aws-sdk/client-dynamodb'
import { clientOptions, createLocksTable, dynaliteLine, locksTable } from '#dist/torture/processes/engines/dynamodb.js'
import { freePorts } from './ports.js'

export { locksTable as table }

export interface DynamoDBServer {
  readonly host: string
  readonly port: number
  readonly address: string
  stop(): Promise<void>
}

export async function startDynamoDB(): Promise<DynamoDBServer> {
  const [port] = await freePorts(1)
  const address = `127.0.0.1:${port}`
  const [program, ...line] = dynaliteLine('127.0.0.1', port)
  const child = spawn(program, line, { stdio: ['ignore', 'pipe', 'inherit'] })
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
    await createLocksTable(address)
  } catch (error) {
    await stop()
    throw error
  }
  return { host: '127.0.0.1', port, address, stop }
}

/** `maxAttempts`: how often the SDK sends one request. */
export function clientOf(address: string, maxAttempts = 1): DynamoDB {
  return new DynamoDB(clientOptions(address, maxAttempts))
}
