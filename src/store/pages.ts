/**
 * The pool of free pages, shared by all stripes, and who owns each page. Guarded by the pool lock, which is a leaf:
 * a thread may take it while it holds a stripe, and takes nothing while it holds it.
 */
import { Global, NO_EXPIRY_SECONDS, OWNER_SHIFT, Page } from './layout.js'
import { acquire, release, tryAcquire } from './lock.js'
import type { Memory } from './memory.js'

/** The owner cell of a page of `kind`, with its flags, that belongs to `stripe`. */
export function ownerOf(stripe: number, kind: number): number {
  return ((stripe + 1) << OWNER_SHIFT) | kind
}

/** The stripe that an owner cell names, −1 for a free page. */
export function stripeOf(owner: number): number {
  return (owner >>> OWNER_SHIFT) - 1
}

export class PagePool {
  readonly #memory: Memory
  readonly #owner: number
  readonly #lockTimeoutMs: number
  /** Pages that only survivors of an eviction may use: evicting must be able to begin when all else is full. */
  readonly reserve: number

  constructor(memory: Memory, owner: number, lockTimeoutMs: number) {
    this.#memory = memory
    this.#owner = owner
    this.#lockTimeoutMs = lockTimeoutMs
    this.reserve = Math.max(12, Math.floor(memory.pages / 512))
  }

  /** Free pages, as last seen. */
  get free(): number {
    return Atomics.load(this.#memory.control, Global.PoolFree)
  }

  /** Puts all pages into the pool: once, before any other thread attaches. */
  fill(): void {
    this.rebuildLocked()
  }

  /**
   * Takes a page for `kind` of `stripe`, whose lock is held. 0 when there is none.
   * The owner is written before the page leaves the list: a page is always either in the list or owned.
   * @throws StoreLockTimeoutError: so what needs a page takes it before it changes what others can see.
   */
  take(stripe: number, kind: number, useReserve: boolean): number {
    const { control } = this.#memory
    if (!useReserve && this.free <= this.reserve) return 0
    this.#lock()
    const page = control[Global.PoolHead]!
    if (page !== 0) {
      const at = this.#memory.pageAt(page)
      control[at + Page.Owner] = ownerOf(stripe, kind)
      control[Global.PoolHead] = control[at + Page.Next]!
      control[Global.PoolFree]! -= 1
      control[at + Page.Next] = 0
      control[at + Page.Previous] = 0
      control[at + Page.Continuation] = 0
      control[at + Page.LiveUnits] = 0
      control[at + Page.Used] = 0
      control[at + Page.First] = 0
      control[at + Page.SoonestSeconds] = NO_EXPIRY_SECONDS
    }
    this.#unlock()
    return page
  }

  /**
   * Gives a page back. The stripe that owned it is locked. From then on the page may be anybody's.
   * @throws StoreLockTimeoutError; the page is the stripe's as before then.
   */
  give(page: number): void {
    this.#lock()
    this.#giveLocked(page)
  }

  /** As `give`, if the pool is free this moment. */
  giveIfFree(page: number): boolean {
    if (!tryAcquire(this.#memory.control, Global.PoolLock, this.#owner)) return false
    this.#giveLocked(page)
    return true
  }

  #giveLocked(page: number): void {
    const { control } = this.#memory
    const at = this.#memory.pageAt(page)
    control[at + Page.Owner] = 0
    control[at + Page.Next] = control[Global.PoolHead]!
    control[Global.PoolHead] = page
    control[Global.PoolFree]! += 1
    this.#unlock()
  }

  /** Makes the list anew from the owners, which are never half-written. The pool lock is held, or nobody else is there. */
  rebuildLocked(): void {
    const { control, pages } = this.#memory
    let head = 0
    let free = 0
    for (let page = pages; page > 0; page--) {
      const at = this.#memory.pageAt(page)
      if (control[at + Page.Owner] !== 0) continue
      control[at + Page.Next] = head
      head = page
      free++
    }
    control[Global.PoolHead] = head
    control[Global.PoolFree] = free
  }

  #lock(): void {
    acquire(this.#memory.control, Global.PoolLock, this.#owner, this.#lockTimeoutMs)
  }

  #unlock(): void {
    release(this.#memory.control, Global.PoolLock)
  }
}
