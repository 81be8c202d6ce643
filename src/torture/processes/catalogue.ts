/** Where the algorithms are, by their names: a module, since every participant has to load it for itself. */
import type { Algorithm } from '../algorithm.js'

/** Throws for a name that it does not know. */
export type Catalogue = (name: string) => Algorithm

/** `href`: of a module with a function `algorithmNamed`. Rejects when there is no such module. */
export async function catalogueAt(href: string): Promise<Catalogue> {
  const { algorithmNamed } = (await import(href)) as { algorithmNamed: Catalogue }
  return algorithmNamed
}
