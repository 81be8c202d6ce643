/**
 * The guard: runs the command of `latchkey lock`, and stops it before its lease is over. A process of its own, in a session of
 * its own, because the one that renews the lease can be stopped or killed at any moment, and the command must not go on as if
 * nothing had happened.
 *
 *     latchkey lock ──── orders, and when the lease ends ───▶ guard ───▶ command, in a session and process group of its own
 *       renews     ◀──── how the command ended ─────────────           SIGTERM, then SIGKILL before the lease is over
 *
 * - There is no moment in which the command runs unguarded: the guard itself starts it, and looks at the lease just before.
 * - The lease is over: SIGTERM at its end − margin − kill-after, SIGKILL at its end − margin. A parent that is stopped or stuck
 *   sends no later end, so that is what happens then.
 * - The lock was taken away, or the parent has died (the channel to it ends): SIGTERM now, SIGKILL after kill-after or at the
 *   lease's end − margin, whichever is first.
 * - After it has been stopped once, no news of the lease helps it any more.
 *
 * It cannot reach a process that the command has put into another group (a daemon), nor one that runs as another user (sudo), and
 * nobody guards when the guard itself is killed together with its parent.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { sayLater } from '../say.js'
import { type Deadline, leftOf, monotonicMs } from './deadline.js'
import { signalGroup, terminateGroup } from './group.js'
import type { Ending, News, Order, Terms } from './messages.js'

/** A timer does not run while the machine sleeps, so the wall clock is looked at so often. */
const lookEveryMs = 200
/** While only stragglers of the group are waited for. */
const stragglersEveryMs = 20

/** The command, from its start to its end. */
class Guarded {
  readonly #terms: Terms
  readonly #child: ChildProcess
  #lease: Deadline
  /** Once it is being stopped: when SIGKILL is due, unless the lease ends before. By the monotonic clock. */
  #killAtMs: number | undefined
  #killed = false
  #timer: NodeJS.Timeout | undefined
  /** How the command's own process ended. Others of its group may be left. */
  #ending: Ending | undefined

  constructor({ command: [file, ...args], env, terms, lease }: Extract<Order, { order: 'run' }>) {
    this.#terms = terms
    this.#lease = lease
    this.#child = spawn(file, args, { env: { ...process.env, ...env }, stdio: 'inherit', detached: true })
    this.#child.once('spawn', () => tell({ news: 'started', pid: this.#child.pid! }))
    this.#child.once('error', (error) => this.#ended(errorEnding(error)))
    this.#child.once('exit', (code, signal) => {
      this.#ended(signal === null ? { how: 'exit', code: code! } : { how: 'signal', signal })
    })
    if (this.#child.pid !== undefined) this.#look()
  }

  renewed(lease: Deadline): void {
    if (this.#killAtMs !== undefined || this.#ending !== undefined) return
    this.#lease = lease
    this.#look()
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#ending === undefined) signalGroup(this.#child.pid!, signal)
  }

  stop(): void {
    if (this.#killAtMs !== undefined || this.#ending !== undefined) return
    this.#killAtMs = monotonicMs() + this.#terms.killAfterMs
    tell({ news: 'stopping' })
    terminateGroup(this.#child.pid!)
    this.#look()
  }

  orphaned(): void {
    if (this.#ending === undefined) sayLater('the holder of the lock is gone: the command is stopped')
    this.stop()
  }

  #ended(ending: Ending): void {
    this.#ending = ending
    this.#look()
  }

  /** Does what is due, and comes back when the next is. */
  #look(): void {
    clearTimeout(this.#timer)
    const isStopping = this.#killAtMs !== undefined
    if (this.#isOver()) finish(isStopping ? { how: 'stopped', started: true } : this.#ending!)
    else if (!isStopping && mustStop(this.#lease, this.#terms)) this.stop()
    else {
      if (isStopping && this.#leftMs() <= 0) this.#kill()
      this.#lookAgain()
    }
  }

  #lookAgain(): void {
    const laterMs = this.#ending === undefined ? lookEveryMs : stragglersEveryMs
    this.#timer = setTimeout(() => this.#look(), Math.max(1, Math.min(this.#leftMs(), laterMs)))
  }

  /** Until the next signal is due. */
  #leftMs(): number {
    const leaseMs = leftOf(this.#lease) - this.#terms.marginMs
    if (this.#killAtMs === undefined) return leaseMs - this.#terms.killAfterMs
    return this.#killed ? lookEveryMs : Math.min(leaseMs, this.#killAtMs - monotonicMs())
  }

  #kill(): void {
    signalGroup(this.#child.pid!, 'SIGKILL')
    this.#killed = true
  }

  /** The command has ended. When it was stopped, so have all of its group, because the lock is about to be another's. */
  #isOver(): boolean {
    if (this.#ending === undefined) return false
    // What was killed does nothing more, though it may stay listed for ever where nobody waits for it.
    return this.#killAtMs === undefined || this.#killed || !signalGroup(this.#child.pid!, 0)
  }
}

function mustStop(lease: Deadline, { killAfterMs, marginMs }: Terms): boolean {
  return leftOf(lease) <= killAfterMs + marginMs
}

function start(order: Extract<Order, { order: 'run' }>): Guarded | undefined {
  if (mustStop(order.lease, order.terms)) {
    finish({ how: 'stopped', started: false })
    return undefined
  }
  try {
    return new Guarded(order)
  } catch (error) {
    finish(errorEnding(error as NodeJS.ErrnoException))
    return undefined
  }
}

function errorEnding(error: NodeJS.ErrnoException): Ending {
  return { how: 'error', errno: error.code ?? error.message }
}

function tell(news: News, then = () => {}): void {
  // A parent that is gone hears nothing, and that is no error of the guard's.
  if (process.connected) process.send!(news, undefined, undefined, then)
}

/** The last word. Without the channel nothing keeps this process alive. */
function finish(ending: Ending): void {
  tell({ news: 'ended', ending }, () => process.connected && process.disconnect())
}

let guarded: Guarded | undefined

function obey(order: Order): void {
  if (order.order === 'run') guarded = start(order)
  else if (order.order === 'lease') guarded?.renewed(order.lease)
  else if (order.order === 'lost') guarded?.stop()
  else guarded?.signal(order.signal)
}

/** Signals to everybody, such as systemd sends when it stops a unit, are not for the guard: it ends with its command. */
for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const)
  process.on(signal, () => {})
process.on('message', obey)
process.on('disconnect', () => guarded?.orphaned())
