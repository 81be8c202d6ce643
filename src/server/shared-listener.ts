/**
 * Workers that listen on duplicates of one descriptor.
 *
 * All threads of a process see the same descriptor numbers, so two threads must never own one number: the first
 * to close it, or to die, would take it from the other, and the number would soon mean somebody else's connection.
 * Node cannot duplicate a descriptor. The kernel does when one is sent over a Unix socket, and Node sends
 * descriptors to child processes; so a child is asked to send some back. It lives for that long only.
 */
import { fork } from 'node:child_process'
import * as net from 'node:net'
import type { Worker } from 'node:worker_threads'
import type { Listener } from './listener.js'
import { listenIn } from './listener.js'
import type { Settings } from './options.js'
import { freeSocketPath, SocketFile } from './unix-socket.js'

/** A bound but idle listening handle, as Node's cluster uses it. */
interface Handle {
  readonly fd: number
  close(): void
  unref(): void
  getsockname?(out: { port?: number }): number
}

/** Negative error numbers of Linux, as libuv passes them on. */
const IN_USE = -98
const NOT_ALLOWED = -13

type CreateHandle = (address: string, port: number, type: 4 | 6 | -1) => Handle | number

const createHandle = (net as unknown as { _createServerHandle: CreateHandle })._createServerHandle

/**
 * Copies given to workers. Their numbers belong to the workers from then on; closing them here would close a
 * number twice, so they are kept for good.
 */
const given = new Set<Handle>()

export class SharedListener implements Listener {
  readonly kind = 'shared'
  readonly port: number
  readonly #settings: Settings
  readonly #handle: Handle
  /** Where it listens, if that is a Unix socket. */
  readonly #file: SocketFile | undefined
  #copies: Handle[] = []

  private constructor(settings: Settings, handle: Handle, file: SocketFile | undefined) {
    this.#settings = settings
    this.#handle = handle
    this.#file = file
    this.port = file === undefined ? portOf(handle) : 0
  }

  static async open(settings: Settings): Promise<SharedListener> {
    const { socketPath, socketMode } = settings
    const handle = socketPath === undefined ? bindTcp(settings) : await bindPath(socketPath)
    const file = socketPath === undefined ? undefined : new SocketFile(socketPath, socketMode)
    const listener = new SharedListener(settings, handle, file)
    listener.#copies = await copies(handle, settings.threads)
    return listener
  }

  async attach(worker: Worker): Promise<void> {
    if (this.#copies.length === 0) this.#copies = await copies(this.#handle, 1)
    const copy = this.#copies.pop() as Handle
    given.add(copy)
    await listenIn(worker, { fd: copy.fd, backlog: this.#settings.backlog })
  }

  detach(): void {}

  close(): void {
    if (this.#file === undefined) this.#handle.close()
    else this.#file.close(this.#handle)
    for (const copy of this.#copies) copy.close()
  }
}

function portOf(handle: Handle): number {
  const name: { port?: number } = {}
  handle.getsockname?.(name)
  return name.port ?? 0
}

function bindTcp({ host, port }: Settings): Handle {
  const handle = createHandle(host, port, net.isIPv6(host) ? 6 : 4)
  if (typeof handle === 'number') throw bindError(handle, `${host}:${port}`)
  // libuv keeps a port in use to itself until somebody listens; the address shows that nothing was bound.
  if (port !== 0 && portOf(handle) !== port) throw bindError(IN_USE, `${host}:${port}`)
  return handle
}

async function bindPath(path: string): Promise<Handle> {
  await freeSocketPath(path)
  const handle = createHandle(path, -1, -1)
  if (typeof handle === 'number') throw bindError(handle, path)
  return handle
}

function bindError(status: number, where: string): Error {
  const code = status === IN_USE ? 'EADDRINUSE' : status === NOT_ALLOWED ? 'EACCES' : `bind error ${status}`
  return Object.assign(new Error(`listen ${code}: ${where}`), { code })
}

function copies(handle: Handle, count: number): Promise<Handle[]> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('./descriptor-echo.js', import.meta.url), { execArgv: [], stdio: 'ignore' })
    const received: Handle[] = []
    child.on('error', reject)
    child.on('exit', () => {
      if (received.length < count) reject(new Error('The listening descriptor could not be duplicated.'))
    })
    child.on('message', (_text, copy) => {
      const mine = copy as unknown as Handle
      mine.unref()
      received.push(mine)
      if (received.length < count) return
      child.disconnect()
      resolve(received)
    })
    child.send(count, handle as never)
  })
}
