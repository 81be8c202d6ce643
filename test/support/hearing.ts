/** Hearing what is published on diagnostics channels. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'

export interface Heard {
  /** The channel, without what all of them begin with. */
  readonly channel: string
  /** The message itself, which may change afterwards. */
  readonly message: object
  /** As it was when it was published. */
  readonly said: Record<string, unknown>
}

export interface Hearing extends Disposable {
  readonly heard: Heard[]
}

/** Until it is disposed of. */
export function hear(beginning: string, names: readonly string[]): Hearing {
  const heard: Heard[] = []
  const stops = names.map((name) => {
    const listener = (message: unknown) =>
      void heard.push({ channel: name, message: message as object, said: { ...(message as object) } })
    subscribe(beginning + name, listener)
    return () => unsubscribe(beginning + name, listener)
  })
  return {
    heard,
    [Symbol.dispose]() {
      for (const stop of stops) stop()
    },
  }
}

const LOCK_CHANNELS = ['acquire', 'wait', 'grant', 'error', 'extend', 'lost', 'release']

export function hearLocks(names: readonly string[] = LOCK_CHANNELS): Hearing {
  return hear('latchkey:lock:', names)
}
