/** Small things that every assault does with sockets. */
import { once } from 'node:events'
import type { Socket } from 'node:net'

/** `count` of them, fifty at a time. */
export async function many<T>(count: number, make: (index: number) => Promise<T>, atOnce = 50): Promise<T[]> {
  const made: T[] = []
  while (made.length < count) {
    const next = Math.min(atOnce, count - made.length)
    made.push(...(await Promise.all(Array.from({ length: next }, (_, i) => make(made.length + i)))))
  }
  return made
}

export async function leave(sockets: readonly Socket[]): Promise<void> {
  await Promise.all(
    sockets.map(async (socket) => {
      if (socket.closed) return
      socket.destroy()
      await once(socket, 'close')
    }),
  )
}

const patienceMs = 60_000

/** Reads until `enough` says so, or the other side closes. Throws when neither happens within a minute. */
export function read(socket: Socket, enough: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const settle = (error?: Error) => {
      clearTimeout(timer)
      socket.off('data', hear).off('close', close).off('end', close)
      if (error === undefined) resolve(text)
      else reject(error)
    }
    const timer = setTimeout(
      () => settle(new Error(`no answer; got ${JSON.stringify(text.slice(0, 300))}`)),
      patienceMs,
    )
    const hear = (bytes: Buffer) => {
      text += bytes.toString('latin1')
      if (enough(text)) settle()
    }
    const close = () => settle()
    socket.on('data', hear).on('close', close).on('end', close)
    if (socket.destroyed) settle()
  })
}

/** Resolves when the system has the bytes, or the connection is gone. */
export function write(socket: Socket, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve()
    else socket.write(bytes, 'latin1', () => resolve())
  })
}
