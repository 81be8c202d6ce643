/** An address to which connections never come about: it listens, its backlog is full, and nobody accepts. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const backlog = 1
/** Linux completes one more than the backlog says; a few to spare. */
const fillers = backlog + 4
const program = `
const listener = require('node:net').createServer()
listener.listen({ port: 0, host: '127.0.0.1', backlog: ${backlog} }, () => {
  require('node:fs').writeSync(1, String(listener.address().port))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})`

export interface Blackhole {
  readonly host: string
  readonly port: number
  stop(): Promise<void>
}

export async function startBlackhole(): Promise<Blackhole> {
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const orphan = () => child.kill('SIGKILL')
  process.once('exit', orphan)
  const [said] = await once(child.stdout, 'data')
  const port = Number(said)
  const sockets: Socket[] = []
  for (let count = 0; count < fillers; count++) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    sockets.push(socket)
    await Promise.race([once(socket, 'connect'), sleep(200)])
  }
  const stop = async () => {
    process.removeListener('exit', orphan)
    for (const socket of sockets) socket.destroy()
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  return { host: '127.0.0.1', port, stop }
}
