/**
 * The password file, as memcached's `-Y` has it: `user:password` lines. The password is the rest of the line, colons and
 * all. A user may have several lines, and then several passwords. What memcached would cut off or leave out without a word (a line
 * that is too long, a ninth user) is taken here, or refused.
 */
import { readFileSync } from 'node:fs'
import { type Account, LONGEST_ACCOUNT_BYTES } from './credentials.js'

/** More would make every try slow, since each is compared with all. */
const ACCOUNTS_MAX = 256

/** The password file cannot be read, or says what cannot be meant. */
export class PasswordFileError extends Error {
  readonly code = 'PASSWORD_FILE'
  override readonly name = 'PasswordFileError'
}

/** Throws `PasswordFileError`. */
export function readPasswordFile(path: string): Account[] {
  const accounts = lines(read(path)).map((line, index) => account(line, `password file ${path}, line ${index + 1}`))
  if (accounts.length === 0) throw new PasswordFileError(`password file ${path} is empty: nobody could log in`)
  if (accounts.length > ACCOUNTS_MAX) {
    throw new PasswordFileError(`password file ${path} has ${accounts.length} lines, and may have ${ACCOUNTS_MAX}`)
  }
  return accounts
}

function read(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new PasswordFileError(`password file ${path} cannot be read: ${(error as Error).message}`)
  }
}

/** Lines end with a line feed, or with carriage return and line feed; the last one need not. */
function lines(bytes: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf('\n', at)
    const end = newline < 0 ? bytes.length : newline
    found.push(bytes.subarray(at, bytes[end - 1] === CR && end > at ? end - 1 : end))
    at = end + 1
  }
  return found
}

const CR = 13
const COLON = 58

/** What is wrong is told without the line itself, which may hold a password. */
function account(line: Buffer, where: string): Account {
  const colon = line.indexOf(COLON)
  if (colon < 0) throw new PasswordFileError(`${where}: expected user:password`)
  if (colon === 0) throw new PasswordFileError(`${where}: the user has no name`)
  if (colon === line.length - 1) throw new PasswordFileError(`${where}: the password is empty`)
  if (line.includes(0) || line.includes(CR)) throw new PasswordFileError(`${where}: NUL or CR in the line`)
  if (line.length - 1 > LONGEST_ACCOUNT_BYTES) {
    throw new PasswordFileError(`${where}: longer than ${LONGEST_ACCOUNT_BYTES + 1} bytes`)
  }
  return { user: line.subarray(0, colon), password: line.subarray(colon + 1) }
}
