/** Numbers that look random and are the same for the same seed, for tests of the store. */
import { Random as Numbers } from '#dist/torture/random.js'

export class Random extends Numbers {
  /** Lengths as the store tells them apart: within a page, over some pages, and with pages of its own. */
  valueLength(): number {
    const dice = this.below(100)
    if (dice < 60) return this.below(300)
    if (dice < 85) return this.below(5000)
    return dice < 97 ? this.below(30_000) : 30_000 + this.below(90_000)
  }
}
