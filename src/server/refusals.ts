/** What the table refuses with an error of its own, rather than with an outcome. */
import { StoreFenceError, StoreGraceError, StoreLeaseError, StoreStateError } from '../store/index.js'

export interface Refusal {
  /** It is for the client to ask otherwise; else it may ask again later. */
  readonly byClient: boolean
  readonly why: string
}

/** `undefined` for an error that is no refusal, but trouble. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof StoreLeaseError) return { byClient: true, why: `${error.message}: see --max-lease` }
  if (error instanceof StoreFenceError) return { byClient: true, why: error.message }
  if (error instanceof StoreGraceError || error instanceof StoreStateError)
    return { byClient: false, why: oneLine(error.message) }
  return undefined
}

/** Fit for a reply: printable, and not long. */
export function oneLine(message: string): string {
  return message.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200)
}
