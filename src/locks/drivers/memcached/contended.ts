/** Which keys were held by another a moment ago: to ask first whether such a one is free would be a round trip for nothing. */

/** How long a key is taken for contended after it was found held. */
const FRESH_MS = 1000
/** More are forgotten, all at once: then each costs a round trip more, once. */
const MOST = 1024

export class Contended {
  readonly #heldAt = new Map<string, number>()

  note(key: string, now: number): void {
    if (this.#heldAt.size >= MOST) this.#heldAt.clear()
    this.#heldAt.set(key, now)
  }

  has(key: string, now: number): boolean {
    const at = this.#heldAt.get(key)
    return at !== undefined && now - at < FRESH_MS
  }
}
