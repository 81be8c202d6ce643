/** The helper thread: keeps locks for another thread, on a driver of its own, and does nothing else that could block it. */
import { parentPort, workerData } from 'node:worker_threads'
import { Agenda } from '../agenda.js'
import { Chores } from '../chores.js'
import type { LockDriver } from '../driver.js'
import { systemEnvironment } from '../environment.js'
import { LeaseKeeper } from '../lease-keeper.js'
import type { Site } from '../site.js'
import { BeliefCells } from './belief-cells.js'
import { Heartbeat } from './heartbeat.js'
import type { FromHelper, HelperData, ToHelper, ToldExtension } from './messages.js'

const { module, options, prefix, deadlineMs, heartbeat } = workerData as HelperData
const port = parentPort!
const keepers = new Map<number, LeaseKeeper>()
const beat = new Heartbeat(heartbeat)
const { default: makeDriver } = (await import(module)) as { default: (options: unknown) => Promise<LockDriver> }
const environment = systemEnvironment()
const site: Site = {
  driver: await makeDriver(options),
  environment,
  prefix,
  deadlineMs,
  chores: new Chores(),
  agenda: new Agenda(environment),
}

port.on('message', (message: ToHelper) => {
  if (message.kind === 'keep') keep(message)
  else if (message.kind === 'extend') extend(message.lock, message.question, message.ttlMs)
  else if (message.kind === 'release') release(message.lock, message.question)
  else if (message.kind === 'detach') detach(message.lock)
  else close()
})
say({ kind: 'ready' })

function say(message: FromHelper): void {
  port.postMessage(message)
}

function keep({ lock, lease, ttlMs, spanMs, maxHoldMs, maxStallMs, cells }: ToHelper & { kind: 'keep' }): void {
  const belief = new BeliefCells(cells)
  // The clock of this thread has another beginning: what is left is what both agree on.
  const validUntil = environment.clock.now() + belief.leftMs()
  const keeper = new LeaseKeeper(
    site,
    { lease: { ...lease, from: validUntil - spanMs }, ttlMs, validUntil },
    {
      renew: true,
      maxHoldMs,
      isWanted: () => beat.isHeardWithin(maxStallMs),
      onChange: () => {
        if (keeper.ended() === undefined) belief.write(keeper.remainingMs(), keeper.state === 'suspect')
      },
      onExtension: ({ status, error }, by, ttlMs, askedAt) => {
        const ms = environment.clock.now() - askedAt
        say({ kind: 'extension', lock, told: { status, by, ttlMs, ms, error: plain(error) } })
      },
      onEnd: (state, why) => {
        if (state !== 'lost') return
        // Whoever is blocked now reads the cells before any message.
        belief.write(0, true)
        say({ kind: 'lost', lock, why })
      },
    },
  )
  keepers.set(lock, keeper)
}

async function extend(lock: number, question: number, ttlMs: number): Promise<void> {
  try {
    await keepers.get(lock)!.extend(ttlMs)
    say({ kind: 'answer', question, answer: { status: 'extended' } })
  } catch (error) {
    const cause = (error as Error).cause ?? error
    say({ kind: 'answer', question, answer: { status: 'failed', why: (cause as Error).message } })
  }
}

async function release(lock: number, question: number): Promise<void> {
  const outcome = await keepers.get(lock)!.release()
  keepers.delete(lock)
  say({ kind: 'answer', question, answer: { status: 'released', outcome } })
}

function detach(lock: number): void {
  keepers.get(lock)?.detach()
  keepers.delete(lock)
}

async function close(): Promise<void> {
  await site.chores.finish()
  await site.driver.close()
  port.close()
}

function plain(error: unknown): ToldExtension['error'] {
  if (error === undefined) return undefined
  const { message, code } = error as Error & { code?: unknown }
  return { message, code: typeof code === 'string' ? code : undefined }
}
