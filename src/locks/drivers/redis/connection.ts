/** A connection to Redis of our own, made as the user's client is, whichever of the two common ones that is. */
import { LockArgumentError } from '../../errors.js'

type Listener = (...args: unknown[]) => void

/** What is used of an `ioredis` client: `new Redis(…)`. */
export interface IoredisClient {
  duplicate(override?: object): IoredisClient
  connect(): Promise<unknown>
  disconnect(): void
  call(command: string, args: string[]): Promise<unknown>
  subscribe(channel: string): Promise<unknown>
  on(event: string, listener: Listener): unknown
  readonly status: string
}

/** What is used of a `redis` client: `createClient(…)`, version 4 or later. */
export interface NodeRedisClient {
  duplicate(overrides?: object): NodeRedisClient
  connect(): Promise<unknown>
  /** Since version 5; `disconnect` before. */
  destroy?(): unknown
  disconnect?(): unknown
  sendCommand(args: string[]): Promise<unknown>
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  on(event: string, listener: Listener): unknown
  readonly isReady: boolean
  readonly options?: { readonly socket?: object } | undefined
}

export type RedisClient = IoredisClient | NodeRedisClient

/** One connection: once it has ended it stays so. Nothing is sent twice, nor kept for later. */
export interface Connection {
  isReady(): boolean
  send(command: string, args: string[]): Promise<unknown>
  /** Nothing but this is done on such a connection. */
  subscribe(channel: string, told: (message: string) => void): Promise<unknown>
  onEnd(ended: () => void): void
  end(): void
}

/** Resolves when it is open; `hurry` ends the trying. Nothing is sent on the client itself, which need not be connected. */
export function connect(client: RedisClient, hurry: AbortSignal): Promise<Connection> {
  return 'call' in client ? overIoredis(client, hurry) : overNodeRedis(client, hurry)
}

/** Throws LockArgumentError for what is neither. */
export function checkClient(client: unknown): RedisClient {
  const { call, sendCommand, duplicate, isCluster } = (client ?? {}) as Record<string, unknown>
  const isOne = typeof duplicate === 'function' && (typeof call === 'function' || typeof sendCommand === 'function')
  if (isOne && !isCluster && !('slots' in (client as object))) return client as RedisClient
  throw new LockArgumentError(
    'client is one of ioredis (new Redis()) or of redis (createClient()), and not of a cluster: see docs/drivers/redis.md',
  )
}

const ONCE = {
  lazyConnect: true,
  enableOfflineQueue: false,
  enableAutoPipelining: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  retryStrategy: null,
  reconnectOnError: null,
  maxRetriesPerRequest: null,
  keyPrefix: '',
}

async function overIoredis(client: IoredisClient, hurry: AbortSignal): Promise<Connection> {
  const own = client.duplicate(ONCE)
  await opening(own, hurry, () => own.disconnect())
  return {
    isReady: () => own.status === 'ready',
    send: (command, args) => own.call(command, args),
    subscribe(channel, told) {
      own.on('message', (_, message) => told(String(message)))
      return own.subscribe(channel)
    },
    onEnd: (ended) => own.on('end', ended),
    end: () => own.disconnect(),
  }
}

async function overNodeRedis(client: NodeRedisClient, hurry: AbortSignal): Promise<Connection> {
  const socket = { ...client.options?.socket, reconnectStrategy: false }
  const own = client.duplicate({ socket, disableOfflineQueue: true })
  let ended = () => {}
  const end = () => {
    // Told twice, it throws.
    Promise.resolve()
      .then(() => (own.destroy ?? own.disconnect)?.call(own))
      .catch(() => {})
    ended()
  }
  await opening(own, hurry, end)
  own.on('error', end)
  own.on('end', () => ended())
  return {
    isReady: () => own.isReady,
    send: (command, args) => own.sendCommand([command, ...args]),
    subscribe: (channel, told) => own.subscribe(channel, told),
    onEnd(run) {
      ended = run
    },
    end,
  }
}

/** Says why it could not be opened, which clients tell apart from that it could not. */
async function opening(own: RedisClient, hurry: AbortSignal, end: () => void): Promise<void> {
  let cause: unknown
  own.on('error', (error: unknown) => {
    cause = error
  })
  let giveUp = () => {}
  const given = new Promise<never>((_, reject) => {
    giveUp = () => reject(hurry.reason)
  })
  hurry.addEventListener('abort', giveUp, { once: true })
  try {
    hurry.throwIfAborted()
    await Promise.race([own.connect(), given])
  } catch (error) {
    end()
    throw cause ?? error
  } finally {
    hurry.removeEventListener('abort', giveUp)
  }
}
