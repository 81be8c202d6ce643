/** Which pages of a table an image takes up, and under which numbers. */
import { BUCKET_SLOTS, BUCKET_WORDS, Bucket, KIND_MASK, Page, PageKind } from '../layout.js'
import type { Memory } from '../memory.js'
import { StoreImageError } from './header.js'

export class Placement {
  /** The table's numbers of the pages in use; the first of them is page 1 of the image. */
  readonly pages: readonly number[]
  readonly #memory: Memory
  /** By the table's number, 0 for pages that are free. */
  readonly #places: Int32Array

  constructor(memory: Memory) {
    this.#memory = memory
    this.#places = new Int32Array(memory.pages + 1)
    const pages: number[] = []
    for (let page = 1; page <= memory.pages; page++) {
      if (memory.control[memory.pageAt(page) + Page.Owner] === 0) continue
      pages.push(page)
      this.#places[page] = pages.length
    }
    this.pages = pages
  }

  /** The image's number of a page, 0 for one that is free. Some cells still name pages that once were. */
  placeOf(page: number): number {
    return this.#places[page] ?? 0
  }

  isIndex(page: number): boolean {
    return (this.#memory.control[this.#memory.pageAt(page) + Page.Owner]! & KIND_MASK) === PageKind.Index
  }

  /** Makes the locations in a copied index page those of the image. What was evicted stays remembered. */
  relocate(words: Int32Array): void {
    for (let bucket = 0; bucket < words.length; bucket += BUCKET_WORDS) {
      for (let slot = bucket + Bucket.Locations; slot < bucket + Bucket.Locations + BUCKET_SLOTS; slot++) {
        if (words[slot]! > 0) words[slot] = this.#locationOf(words[slot]!)
      }
    }
  }

  #locationOf(location: number): number {
    const { pageUnitsShift, pageUnits } = this.#memory
    const place = this.placeOf(location >>> pageUnitsShift)
    if (place === 0) throw new StoreImageError('the table is damaged: an entry leads to a page that is free')
    return (place << pageUnitsShift) | (location & (pageUnits - 1))
  }
}
