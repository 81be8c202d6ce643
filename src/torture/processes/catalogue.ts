/** Where the algorithms are, by their names: a module, since every participant has to load it for itself. */
import type { Algorithm } from '../algorithm.js'

interface Catalogue {
  algorithmNamed(name: string): Algorithm | undefined
}

/** `href`: of a module with `algorithmNamed`. Rejects when there is none. */
export async function catalogueAt(href: string): Promise<(name: string) => Algorithm> {
  const { algorithmNamed } = (await import(href)) as Catalogue
  return (name) => {
    const algorithm = algorithmNamed(name)
    if (algorithm === undefined) throw new Error(`${name} is not in the catalogue of algorithms`)
    return algorithm
  }
}
