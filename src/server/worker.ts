/** A worker thread: its own event loop, its own connections, the table shared with all others. */
import { createServer, type Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { parentPort, workerData } from 'node:worker_threads'
import { reply } from '../protocol/index.js'
import { Table } from '../store/index.js'
import { Credentials } from './auth/credentials.js'
import type { Secrets } from './auth/secrets.js'
import { Connection } from './connection.js'
import { type Question, WorkerContext } from './context.js'
import { listenAddress } from './listening.js'
import type { FromWorker, ListenAt, ToWorker, WorkerStart } from './messages.js'
import { Cell, Metric, Metrics } from './metrics.js'
import { openRawStream } from './raw-stream.js'
import { SocketStream } from './socket-stream.js'
import { leaseKeeper } from './state/lock-state.js'
import { Handshakes } from './tls/handshakes.js'
import { openTlsStream } from './tls-stream.js'
import type { Transport } from './transport.js'
import type { Watcher } from './watchers.js'

const start = workerData as WorkerStart
const { settings } = start
const port = parentPort
if (port === null) throw new Error('This module is the body of a worker thread.')

const metrics = Metrics.attach(start.metrics, start.row)
const table = Table.attach(start.table)
if (start.state !== undefined) table.keepLeases(leaseKeeper(start.state))
const context = new WorkerContext(table, settings, metrics, { ask, refresh, watch, send })
const unanswered = new Map<number, (text: string) => void>()
let listening: Server | undefined
let draining = false
let lastQuestion = 0
let handshakes: Handshakes | undefined
use(start.secrets)

/** Who is connected already has been asked, and is not asked again. */
function use({ credentials, tls }: Secrets): void {
  context.credentials = credentials && new Credentials(credentials)
  if (settings.tls === undefined || tls === undefined) return
  if (handshakes !== undefined) handshakes.use(tls)
  else handshakes = new Handshakes(settings.tls, tls, metrics, { secured, failed: handshakeFailed })
}

function send(message: FromWorker): void {
  port?.postMessage(message)
}

/** Logs what this verbosity, or a higher one, wants to hear. */
function tell(verbosity: number, text: string): void {
  if (Atomics.load(metrics.cells, Cell.Verbosity) >= verbosity) send({ kind: 'log', text: `latchkey: ${text}` })
}

function ask(question: Question): Promise<string> {
  const id = ++lastQuestion
  send({ kind: 'ask', id, question })
  return new Promise((resolve) => unanswered.set(id, resolve))
}

function refresh(): Promise<string> {
  const id = ++lastQuestion
  send({ kind: 'refresh', id })
  return new Promise((resolve) => unanswered.set(id, resolve))
}

/** Has a watcher told everything from now on; or not, when the reply says so. */
function watch({ id: watcher, kinds }: Watcher): Promise<string> {
  const id = ++lastQuestion
  send({ kind: 'watch', id, watcher, kinds })
  return new Promise((resolve) => unanswered.set(id, resolve))
}

port.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'socket':
      open(message.socket)
      break
    case 'listen':
      listen(message.at)
      break
    case 'ask':
      send({ kind: 'answer', id: message.id, text: answer(message.question) })
      break
    case 'answer':
      unanswered.get(message.id)?.(message.text)
      unanswered.delete(message.id)
      break
    case 'events':
      context.watchers.tell(message.bundle, message.skipped)
      break
    case 'secrets':
      use(message.secrets)
      send({ kind: 'answer', id: message.id, text: '' })
      break
    case 'heard':
      context.events.heard()
      break
    case 'drain':
      drain()
      break
  }
})

/** Takes a socket that has been counted already. */
function open(socket: Socket): void {
  if (handshakes !== undefined) handshakes.begin(socket)
  else serve(openRawStream(socket, context.input) ?? new SocketStream(socket, context.input))
}

function secured(socket: TLSSocket): void {
  serve(openTlsStream(socket, context.input) ?? new SocketStream(socket, context.input))
}

function handshakeFailed(reason: string): void {
  tell(1, `TLS handshake failed: ${reason}`)
}

function serve(transport: Transport): void {
  const connection = new Connection(context, transport)
  tell(2, `connection from ${transport.describePeer()} on thread ${start.row}`)
  connection.start()
  if (draining) connection.finishSoon()
}

function listen(at: ListenAt): void {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
    if (Atomics.add(metrics.cells, Cell.Connections, 1) < settings.maxConnections) open(socket)
    else refuse(socket)
  })
  server.on('error', (error: NodeJS.ErrnoException) => {
    send({ kind: 'listen failed', code: error.code ?? '', message: error.message })
  })
  server.listen(at, () => {
    const address = server.address()
    send({ kind: 'listening', port: typeof address === 'object' && address !== null ? address.port : 0 })
  })
  listening = server
}

function refuse(socket: Socket): void {
  Atomics.sub(metrics.cells, Cell.Connections, 1)
  metrics.add(Metric.RejectedConnections, 1)
  tell(1, 'connection refused: too many are open')
  socket.on('error', () => undefined)
  // Who begins a TLS handshake would not understand it.
  if (handshakes !== undefined) socket.destroy()
  else socket.end(reply.TOO_MANY_CONNECTIONS.toString(), () => socket.destroy())
}

function answer(question: Question): string {
  if (question === 'conns') return describeConnections()
  if (question === 'forget prefixes') context.prefixes.clear()
  return context.prefixes.toString()
}

function describeConnections(): string {
  let text = ''
  let id = start.row * 1_000_000
  for (const connection of context.connections) {
    id++
    const { peer, state } = connection.describe()
    text += `STAT ${id}:addr ${peer}\r\nSTAT ${id}:listen_addr ${listenAddress(settings)}\r\nSTAT ${id}:state ${state}\r\n`
    text += `STAT ${id}:secs_since_last_cmd ${context.seconds - connection.lastActive}\r\n`
  }
  return text
}

function drain(): void {
  draining = true
  listening?.close()
  for (const connection of context.connections) connection.finishSoon()
  const timer = setInterval(() => {
    if (context.connections.size > 0) return
    clearInterval(timer)
    send({ kind: 'drained' })
  }, 5)
}

setInterval(() => {
  context.seconds++
  if (settings.idleTimeoutSeconds === 0) return
  for (const connection of context.connections) {
    if (
      connection.watches ||
      connection.isParked ||
      context.seconds - connection.lastActive <= settings.idleTimeoutSeconds
    )
      continue
    metrics.add(Metric.IdleKicks, 1)
    connection.destroy('idle_timeout')
  }
}, 1000)

send({ kind: 'ready' })
