/** The reply lines of what the table refuses with an error of its own, rather than with an outcome. */
import { StoreFenceError, StoreGraceError, StoreLeaseError, StoreStateError } from '../store/index.js'

/** `undefined` for an error that is no refusal, but trouble. */
export function refusalOf(error: unknown): string | undefined {
  if (error instanceof StoreLeaseError) return `CLIENT_ERROR ${error.message}: see --max-lease`
  if (error instanceof StoreFenceError) return `CLIENT_ERROR ${error.message}`
  if (error instanceof StoreGraceError || error instanceof StoreStateError)
    return `SERVER_ERROR ${oneLine(error.message)}`
  return undefined
}

/** Fit for a reply: printable, and not long. */
export function oneLine(message: string): string {
  return message.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200)
}
