/** Waiting for one's turn: each watches the one before it only, so that the end of one wakes one. */
import type { Call } from '../../driver.js'
import { OutcomeUnknownError } from '../../errors.js'
import type { Ensemble } from './ensemble.js'
import { NO_NODE, ZooKeeperError } from './errors.js'
import { inOrder } from './places.js'
import { children, expect } from './requests.js'
import type { Session } from './session.js'

export interface Queue {
  readonly ensemble: Ensemble
  /** The lock's node, and its name. */
  readonly node: string
  readonly name: string
  /** Ours in it, and the session that it lives by. */
  readonly place: string
  readonly session: Session
}

/**
 * True when it is the first; false when `until` has come. Throws the signal's reason, and OutcomeUnknownError when the connection ends:
 * the place is there as long as the session.
 */
export async function waitTurn(queue: Queue, until: number, call: Call): Promise<boolean> {
  for (;;) {
    const before = await predecessor(queue, call)
    if (before !== undefined) call.onQueued?.()
    call.signal?.throwIfAborted()
    if (before === undefined) return true
    if (until <= call.clock.now()) return false
    await untilGone(queue, before, until - call.clock.now(), call)
    call.signal?.throwIfAborted()
  }
}

/** undefined when there is none. */
export async function predecessor(queue: Queue, { deadlineMs }: Call): Promise<string | undefined> {
  const { ensemble, session, name, node, place } = queue
  const asked = ensemble.on(session, name, false, () => children(session, node, deadlineMs), [])
  // The place is there all the same.
  const names = await asked.catch((error) => {
    throw new OutcomeUnknownError(error)
  })
  const order = inOrder(names)
  const mine = order.indexOf(place)
  if (mine < 0) throw new OutcomeUnknownError(new Error('its place in the queue was lost'))
  return order[mine - 1]
}

async function untilGone(
  { session, ensemble, name, node }: Queue,
  before: string,
  ms: number,
  call: Call,
): Promise<void> {
  const path = `${node}/${before}`
  let wake = () => {}
  const woken = new Promise<void>((resolve) => {
    wake = resolve
  })
  const off = session.watch(path, wake)
  const over = setTimeout(wake, Math.min(ms, 2 ** 31 - 1))
  call.signal?.addEventListener('abort', wake, { once: true })
  try {
    await ensemble.on(session, name, true, () => expect(session, path, call.deadlineMs), [NO_NODE])
    await woken
  } catch (error) {
    if (!(error instanceof ZooKeeperError)) throw error
  } finally {
    off()
    clearTimeout(over)
    call.signal?.removeEventListener('abort', wake)
  }
}
