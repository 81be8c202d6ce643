/**
 * A program that holds a lock nobody else knows of and runs a command under it. Arguments: the lease in ms, `renew` or `once`, ms
 * from SIGTERM to SIGKILL, and the command. SIGWINCH takes the lock away. Tells how it ended as a line of JSON on stdout.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { monotonicMs } from '#dist/cli/guard/deadline.js'
import { Guard } from '#dist/cli/guard/handle.js'
import { type Held, runHeld } from '#dist/cli/guard/run.js'
import { Signals } from '#dist/cli/guard/signals.js'

const [leaseMs, renewal, killAfterMs, ...command] = process.argv.slice(2)
const lost = new AbortController()
let endMs = monotonicMs() + Number(leaseMs)

const held: Held = {
  name: 'backup',
  owner: 'f'.repeat(32),
  fence: 77n,
  signal: lost.signal,
  remainingMs: () => (lost.signal.aborted ? 0 : Math.max(0, endMs - monotonicMs())),
}

const signals = new Signals()
const guard = new Guard()
const terms = { killAfterMs: Number(killAfterMs), marginMs: 100 }
process.on('SIGWINCH', () => lost.abort(new Error('taken away')))
const renewing = setInterval(() => {
  if (renewal === 'renew') endMs = monotonicMs() + Number(leaseMs)
}, 50)

try {
  const job = { command, terms, tellEveryMs: 50, onStopping: () => tell({ stopping: true }) }
  tell(await runHeld(guard, held, signals, job))
} catch (error) {
  tell({ how: 'threw', message: (error as Error).message })
} finally {
  clearInterval(renewing)
  await sleep(0)
}

function tell(what: object): void {
  process.stdout.write(`${JSON.stringify({ ...what, leftMs: Math.round(endMs - monotonicMs()) })}\n`)
}
