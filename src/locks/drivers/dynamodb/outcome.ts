/** What the SDK's errors mean for a lock: that nothing was done, or that nobody knows. */
import type { Call } from '../../driver.js'
import { LockUnavailableError, OutcomeUnknownError } from '../../errors.js'

interface SdkError extends Error {
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number }
}

/** Before anything was sent. */
const UNSENT = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|CredentialsProviderError)$/

/** The condition did not hold when the SDK sent it for the last time. */
export class ConditionFailed extends Error {
  /** It may have held at an earlier try, whose reply was lost. */
  readonly mayBeDone: boolean

  constructor(cause: SdkError) {
    super(cause.message, { cause })
    this.mayBeDone = (cause.$metadata?.attempts ?? 1) > 1
  }
}

/** Rejects with ConditionFailed where the condition did not hold. `changes`: without an answer, it may have been carried out. */
export async function sending<R>(
  lock: string,
  changes: boolean,
  { deadlineMs, signal }: Call,
  send: (options: { abortSignal: AbortSignal }) => Promise<R>,
): Promise<R> {
  signal?.throwIfAborted()
  const ending = new AbortController()
  const late = setTimeout(() => ending.abort(new Error(`no answer in ${deadlineMs} ms`)), deadlineMs)
  try {
    return await send({ abortSignal: ending.signal })
  } catch (thrown) {
    const error = thrown as SdkError
    if (error.name === 'ConditionalCheckFailedException') throw new ConditionFailed(error)
    if (changes && !isUndone(error)) throw new OutcomeUnknownError(error)
    const why = ending.signal.aborted ? ending.signal.reason.message : `${error.name}: ${error.message}`
    throw new LockUnavailableError(lock, `DynamoDB: ${why}`, { cause: error })
  } finally {
    clearTimeout(late)
  }
}

/** Of several tries, which the SDK makes by itself, the last one tells nothing of those before. */
function isUndone({ name, code = name, $metadata: { httpStatusCode = 0, attempts = 1 } = {} }: SdkError): boolean {
  const isRefused = httpStatusCode >= 400 && httpStatusCode < 500
  return attempts <= 1 && (isRefused || UNSENT.test(code))
}
