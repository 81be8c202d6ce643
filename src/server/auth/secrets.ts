/** What the main thread reads from files for its workers: at the start, and again when it is told to. */
import type { Settings } from '../options.js'
import { readTlsMaterial, type TlsMaterial } from '../tls/material.js'
import { type CredentialsData, sealAccounts } from './credentials.js'
import { readPasswordFile } from './password-file.js'

/** Plain data, for worker threads. */
export interface Secrets {
  /** Undefined: nobody has to authenticate. */
  readonly credentials: CredentialsData | undefined
  /** Undefined: connections are not encrypted. */
  readonly tls: TlsMaterial | undefined
}

/** All or nothing. Throws `PasswordFileError` and `TlsFileError`. */
export function readSecrets({ authFile, tls }: Settings): Secrets {
  return {
    credentials: authFile === undefined ? undefined : sealAccounts(readPasswordFile(authFile)),
    tls: tls && readTlsMaterial(tls),
  }
}
