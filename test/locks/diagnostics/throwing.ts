/** A program whose subscribers throw, for a test of that: it prints what became of its locks, and which throws were reported. */
import { subscribe } from 'node:diagnostics_channel'
import { createLocks, store } from 'latchkey/locks'
import { Store } from 'latchkey/store'

const thrown: string[] = []
process.on('uncaughtException', ({ message }) => thrown.push(message))
for (const name of ['acquire', 'wait', 'grant', 'error', 'extend', 'lost', 'release']) {
  subscribe(`latchkey:lock:${name}`, () => {
    throw new Error(name)
  })
}

// The locks keep no process going.
const going = setInterval(() => {}, 1000)
const locks = createLocks(store(new Store({ memory: '8mb' })))
const said: unknown[] = []
const lock = await locks.acquire('a')
said.push(await locks.tryAcquire('a'))
const waiting = locks.acquire('a', { wait: '1m', ttl: 600 })
await lock.extend()
said.push(await lock.release())
const second = await waiting
await locks.forceRelease('a')
await new Promise((resolve) => second.signal.addEventListener('abort', resolve))
said.push(second.state, await second.release())
await locks.close()
clearInterval(going)
// Node reports what was thrown when nothing else is left to do now.
await new Promise(setImmediate)
console.log(JSON.stringify({ said, thrown }))
