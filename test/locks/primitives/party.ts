/** A process that runs jobs, arrives and waits, as told. */
import {
  createLocks,
  type LockDriver,
  LockLostError,
  LockUnavailableError,
  memcached,
  type OnceOptions,
  type Schedule,
} from 'latchkey/locks'

/** From the test. */
export type Order =
  | { do: 'once'; name: string; options: OnceOptions }
  /** Ends the job that was begun. */
  | { do: 'end' }
  | { do: 'every'; name: string; options: OnceOptions }
  | { do: 'stop' }
  | { do: 'meet'; name: string; id: string; parties: number; rounds: number }
  | { do: 'arrive'; name: string; id: string; count: number }

/** When it came and when it went on, on the machine's monotonic clock. Milliseconds. */
export interface Stay {
  readonly from: number
  readonly to: number
}

/** To the test. */
export type Report =
  | { is: 'ready' }
  | { is: 'stopped' }
  | { is: 'began'; attempt: number; fence: string }
  | { is: 'result'; ran: boolean; recordError: string | undefined }
  | { is: 'ran'; slot: number; fence: string }
  | { is: 'met'; stays: Stay[] }
  | { is: 'failed'; error: string }

/** A busy machine may take long to answer, which is not what this is about. */
const locks = createLocks(await driverAt(process.argv[2]), { deadlineMs: 20_000 })
const say = (report: Report) => process.send!(report)
const now = () => Number(process.hrtime.bigint()) / 1e6
let end = () => {}
let schedule: Schedule | undefined

/** The engines' clients take longer to load than all else does, and only some need them. */
async function driverAt(address: string): Promise<LockDriver> {
  if (!address.includes('://')) return memcached({ servers: address, freshServers: 'trust' })
  return (await import('../support/driver-at.js')).driverAt(address)
}

async function once({ name, options }: Extract<Order, { do: 'once' }>): Promise<void> {
  const result = await locks.once(name, options, async (lock, _signal, { attempt }) => {
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    say({ is: 'began', attempt, fence: `${lock.fence}` })
    await ended
  })
  const { ran } = result
  say({ is: 'result', ran, recordError: ran && result.recordError !== undefined ? `${result.recordError}` : undefined })
}

function every({ name, options }: Extract<Order, { do: 'every' }>): void {
  // Told, and asked again: nothing that a test of who runs it would fail for.
  const passing = (error: unknown) => error instanceof LockUnavailableError || error instanceof LockLostError
  const onError = (error: unknown) => passing(error) || say({ is: 'failed', error: String(error) })
  schedule = locks.every(name, { ...options, onError }, (lock, _signal, { slot }) =>
    say({ is: 'ran', slot: slot.getTime(), fence: `${lock.fence}` }),
  )
}

async function meet({ name, id, parties, rounds }: Extract<Order, { do: 'meet' }>): Promise<void> {
  const barrier = locks.barrier(name, { parties })
  const stays: Stay[] = []
  while (stays.length < rounds) {
    const from = now()
    const generation = await barrier.wait({ id })
    stays.push({ from, to: now() })
    if (generation !== stays.length - 1) throw new Error(`generation ${generation} in round ${stays.length - 1}`)
  }
  say({ is: 'met', stays })
}

async function arrive({ name, id, count }: Extract<Order, { do: 'arrive' }>): Promise<void> {
  const countdown = locks.countdown(name, { count })
  const from = now()
  await Promise.all([countdown.arrive(id), countdown.arrive(id)])
  await countdown.wait()
  say({ is: 'met', stays: [{ from, to: now() }] })
}

async function obey(order: Order): Promise<void> {
  if (order.do === 'once') await once(order)
  else if (order.do === 'every') every(order)
  else if (order.do === 'meet') await meet(order)
  else if (order.do === 'arrive') await arrive(order)
  else if (order.do === 'end') end()
  else {
    await schedule!.stop()
    say({ is: 'stopped' })
  }
}

process.on('message', (order: Order) => {
  obey(order).catch((error) => say({ is: 'failed', error: String(error) }))
})
process.once('disconnect', () => process.exit())
say({ is: 'ready' })
