/**
 * Who may speak to the server. A worker thread has no passwords, only digests of them, keyed with a key that is made anew
 * whenever the password file is read.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

export interface Account {
  readonly user: Uint8Array
  readonly password: Uint8Array
}

/** Plain data, for worker threads. */
export interface CredentialsData {
  readonly key: Uint8Array
  /** One after the other, `DIGEST_BYTES` each. */
  readonly digests: Uint8Array
}

/** User and password together; what is longer is nobody's, and is not even hashed. */
export const LONGEST_ACCOUNT_BYTES = 254

const DIGEST_BYTES = 32

export function sealAccounts(accounts: readonly Account[]): CredentialsData {
  const key = randomBytes(DIGEST_BYTES)
  return { key, digests: Buffer.concat(accounts.map(({ user, password }) => digest(key, user, password))) }
}

/** The length in front keeps the user `ab` with the password `c` apart from `a` with `bc`. */
function digest(key: Uint8Array, user: Uint8Array, password: Uint8Array): Buffer {
  return createHmac('sha256', key).update(Uint8Array.of(user.length)).update(user).update(password).digest()
}

export class Credentials {
  readonly #key: Uint8Array
  readonly #digests: Uint8Array[] = []

  constructor({ key, digests }: CredentialsData) {
    this.#key = key
    for (let at = 0; at < digests.length; at += DIGEST_BYTES)
      this.#digests.push(digests.subarray(at, at + DIGEST_BYTES))
  }

  /**
   * True when the file has this user with this password. Every digest is compared, the whole of it, found or not: how long
   * it takes tells neither which users there are nor how much of a password was right.
   */
  check(user: Uint8Array, password: Uint8Array): boolean {
    if (user.length + password.length > LONGEST_ACCOUNT_BYTES) return false
    const wanted = digest(this.#key, user, password)
    let found = 0
    for (const each of this.#digests) found |= Number(timingSafeEqual(each, wanted))
    return found !== 0
  }
}
