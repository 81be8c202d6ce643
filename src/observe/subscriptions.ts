/** Listening to our diagnostics channels until told to stop. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientChannels } from '../client/index.js'
import type { LockChannels } from '../locks/index.js'

export type Channels = ClientChannels & LockChannels

export class Subscriptions {
  readonly #stops: (() => void)[] = []

  on<C extends keyof Channels>(channel: C, hear: (message: Channels[C]) => void): void {
    const listener = (message: unknown) => hear(message as Channels[C])
    subscribe(channel, listener)
    this.#stops.push(() => unsubscribe(channel, listener))
  }

  /** Does nothing the second time. */
  stop(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }
}
