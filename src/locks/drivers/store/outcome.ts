/** What the store's errors mean for a lock. */
import { StoreArgumentError, StoreError } from '../../../store/index.js'
import { LockArgumentError, LockUnavailableError } from '../../errors.js'

/** They all mean that nothing was done. */
export async function attempt<R>(lock: string, run: () => R | Promise<R>): Promise<R> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof StoreArgumentError) throw new LockArgumentError(error.message, lock)
    if (error instanceof StoreError) throw new LockUnavailableError(lock, error.message, { cause: error })
    throw error
  }
}
