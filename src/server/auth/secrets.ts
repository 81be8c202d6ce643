/** What the main thread reads from files for its workers, who have no business with files. */
import type { Settings } from '../options.js'
import { type CredentialsData, sealAccounts } from './credentials.js'
import { readPasswordFile } from './password-file.js'

/** Plain data, for worker threads. */
export interface Secrets {
  /** Undefined: nobody has to authenticate. */
  readonly credentials: CredentialsData | undefined
}

/** Throws `PasswordFileError`. */
export function readSecrets({ authFile }: Settings): Secrets {
  return { credentials: authFile === undefined ? undefined : sealAccounts(readPasswordFile(authFile)) }
}
