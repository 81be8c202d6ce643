/** Certificates and keys, read and checked by the main thread, used by the workers. The words of errors are memcached's. */
import { constants, createPrivateKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { TlsSettings } from './options.js'

/** A certificate or key cannot be read, or does not fit. */
export class TlsFileError extends Error {
  readonly code = 'TLS_FILE'
  override readonly name = 'TlsFileError'
}

/** Plain data, for worker threads. */
export interface TlsMaterial {
  readonly cert: string
  readonly key: string
  readonly ca: string | undefined
  /** The same in all threads, so that a session can be resumed on another one; new ones whenever the files are read. */
  readonly ticketKeys: Uint8Array
}

const TICKET_KEYS_BYTES = 48

/** Throws `TlsFileError`. */
export function readTlsMaterial(settings: TlsSettings): TlsMaterial {
  const { certFile, keyFile = certFile, keyFormat, caFile } = settings
  const cert = reading('the certificate chain', certFile, (pem) => checkedCertificate(pem))
  const key = reading('the key', keyFile, (bytes) => privateKey(bytes, keyFormat))
  const ca = caFile && reading('the authorities', caFile, (pem) => checkedCertificate(pem))
  const material = { cert, key, ca, ticketKeys: randomBytes(TICKET_KEYS_BYTES) }
  // Whether they fit together shows only here.
  reading('the key', keyFile, () => createSecureContext(contextOptions({ ...settings, ciphers: undefined }, material)))
  try {
    createSecureContext(contextOptions(settings, material))
  } catch {
    throw new TlsFileError(`Error setting the provided cipher(s): ${settings.ciphers}`)
  }
  return material
}

function reading<T>(what: string, path: string, use: (bytes: Buffer) => T): T {
  try {
    return use(readFileSync(path))
  } catch (error) {
    throw new TlsFileError(`Error loading ${what}: ${path} : ${(error as Error).message}`)
  }
}

function checkedCertificate(pem: Buffer): string {
  new X509Certificate(pem)
  return pem.toString('latin1')
}

function privateKey(bytes: Buffer, format: 'pem' | 'der'): string {
  const key = format === 'pem' ? createPrivateKey(bytes) : derKey(bytes)
  return key.export({ format: 'pem', type: 'pkcs8' }) as string
}

/** DER does not say which of the three it is. */
function derKey(key: Buffer): KeyObject {
  for (const type of ['pkcs8', 'pkcs1', 'sec1'] as const) {
    try {
      return createPrivateKey({ key, format: 'der', type })
    } catch {}
  }
  throw new Error('not a private key in DER')
}

export function contextOptions({ ciphers, minVersion }: TlsSettings, material: TlsMaterial): SecureContextOptions {
  const { cert, key, ca, ticketKeys } = material
  return {
    cert,
    key,
    minVersion,
    // Nobody who speaks memcached has use for it, and it lets a client make the server work for nothing.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    // Without it a client that has shown a certificate cannot resume its session.
    sessionIdContext: 'latchkey',
    ticketKeys: Buffer.from(ticketKeys),
    ...(ca !== undefined && { ca }),
    ...(ciphers !== undefined && { ciphers }),
  }
}
