/** TLS as a server is told to speak it. */

export interface TlsOptions {
  /** PEM file: the server's certificate, and behind it those that vouch for it. */
  certFile: string
  /** File of the private key. Default: it is in `certFile`. */
  keyFile?: string
  /** Default `pem`. */
  keyFormat?: 'pem' | 'der'
  /** PEM file of the authorities that clients' certificates have to come from. */
  caFile?: string
  /**
   * Certificates of clients: `ignored` (default); `checked`, a client may have none, but not a wrong one; `required`. The
   * last two need `caFile`.
   */
  clientCertificates?: 'ignored' | 'checked' | 'required'
  /** In OpenSSL's notation. Default: Node's. */
  ciphers?: string
  /** Default `TLSv1.2`. */
  minVersion?: 'TLSv1.2' | 'TLSv1.3'
  /** How long a client may take over its handshake, in ms. Default ten seconds. */
  handshakeTimeoutMs?: number
}

/** All of it, for worker threads. */
export interface TlsSettings {
  readonly certFile: string
  readonly keyFile: string | undefined
  readonly keyFormat: 'pem' | 'der'
  readonly caFile: string | undefined
  readonly clientCertificates: 'ignored' | 'checked' | 'required'
  readonly ciphers: string | undefined
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly handshakeTimeoutMs: number
}

/** Throws `RangeError` for what cannot be meant. */
export function settleTls(options: TlsOptions): TlsSettings {
  const { clientCertificates = 'ignored', caFile, handshakeTimeoutMs = 10_000 } = options
  if (clientCertificates !== 'ignored' && caFile === undefined) {
    throw new RangeError(
      'clients can show certificates only with a file of the authorities to trust (caFile, ssl_ca_cert)',
    )
  }
  if (!Number.isInteger(handshakeTimeoutMs) || handshakeTimeoutMs < 1 || handshakeTimeoutMs > 2 ** 31 - 1) {
    throw new RangeError(`handshakeTimeoutMs is ${handshakeTimeoutMs}, and must be a whole number from 1`)
  }
  return {
    certFile: options.certFile,
    keyFile: options.keyFile,
    keyFormat: options.keyFormat ?? 'pem',
    caFile,
    clientCertificates,
    ciphers: options.ciphers,
    minVersion: options.minVersion ?? 'TLSv1.2',
    handshakeTimeoutMs,
  }
}
