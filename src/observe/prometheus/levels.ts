/** Who waits and who holds now, by labels. */
import type { LockEvent } from '../../locks/index.js'

export interface LockLabels {
  readonly driver: string
  readonly lock?: string
}

export interface Level {
  readonly labels: LockLabels
  readonly waiting: number
  readonly held: number
  /** For how long the first of those that are held has been. */
  readonly oldestMs: number
}

class Group implements Level {
  readonly labels: LockLabels
  readonly waiters = new Set<LockEvent>()
  /** Since when, in the order in which they were granted. */
  readonly holders = new Map<LockEvent, number>()

  constructor(labels: LockLabels) {
    this.labels = labels
  }

  get waiting(): number {
    return this.waiters.size
  }

  get held(): number {
    return this.holders.size
  }

  get oldestMs(): number {
    for (const since of this.holders.values()) return performance.now() - since
    return 0
  }
}

export class Levels {
  readonly #labelOf: ((name: string) => string) | undefined
  readonly #groups = new Map<string, Group>()
  readonly #groupOf = new WeakMap<LockEvent, Group>()
  readonly #whenNew: ((labels: LockLabels) => void)[] = []

  constructor(labelOf: ((name: string) => string) | undefined) {
    this.#labelOf = labelOf
  }

  /** Called with labels that have not been there before. */
  onNew(run: (labels: LockLabels) => void): void {
    this.#whenNew.push(run)
  }

  all(): Iterable<Level> {
    return this.#groups.values()
  }

  labelsOf(event: LockEvent): LockLabels {
    return this.#group(event).labels
  }

  waits(event: LockEvent): void {
    this.#group(event).waiters.add(event)
  }

  grant(event: LockEvent): LockLabels {
    const group = this.#group(event)
    group.waiters.delete(event)
    group.holders.set(event, performance.now())
    return group.labels
  }

  fail(event: LockEvent): LockLabels {
    const group = this.#group(event)
    group.waiters.delete(event)
    return group.labels
  }

  end(event: LockEvent): LockLabels {
    const group = this.#group(event)
    group.holders.delete(event)
    return group.labels
  }

  #group(event: LockEvent): Group {
    const known = this.#groupOf.get(event)
    if (known !== undefined) return known
    const group = this.#groupWith(this.#labels(event))
    this.#groupOf.set(event, group)
    return group
  }

  #groupWith(labels: LockLabels): Group {
    const key = JSON.stringify([labels.driver, labels.lock])
    let group = this.#groups.get(key)
    if (group === undefined) {
      group = new Group(labels)
      this.#groups.set(key, group)
      for (const run of this.#whenNew) run(labels)
    }
    return group
  }

  #labels({ driver, name }: LockEvent): LockLabels {
    if (this.#labelOf === undefined) return { driver }
    try {
      return { driver, lock: String(this.#labelOf(name)) }
    } catch {
      return { driver, lock: '' }
    }
  }
}
