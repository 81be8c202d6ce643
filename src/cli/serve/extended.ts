/** memcached's `-o`: a list of `name=value`, names of TLS among them. */
import { InvalidArgumentError } from 'commander'
import type { ServeOptions } from '../../server/index.js'
import { whole } from '../sizes.js'

type TlsOptions = NonNullable<ServeOptions['tls']>

export interface Extended {
  idleTimeoutSeconds: number
  tls: Partial<TlsOptions>
}

type Take = (extended: Extended, value: string) => void

/** What each name does with its value. */
const NAMES: Record<string, Take> = {
  idle_timeout: (to, value) => {
    to.idleTimeoutSeconds = whole(0, 2 ** 31 - 1)(value)
  },
  ssl_chain_cert: ({ tls }, value) => {
    tls.certFile = path(value)
  },
  ssl_key: ({ tls }, value) => {
    tls.keyFile = path(value)
  },
  ssl_ca_cert: ({ tls }, value) => {
    tls.caFile = path(value)
  },
  ssl_keyformat: ({ tls }, value) => {
    tls.keyFormat = oneOf('ssl_keyformat', value, { '1': 'pem', PEM: 'pem', '2': 'der', DER: 'der' })
  },
  // memcached's 3 asks for the certificate once a connection, which TLS 1.3 always does.
  ssl_verify_mode: ({ tls }, value) => {
    const modes = { '0': 'ignored', '1': 'checked', '2': 'required', '3': 'required' } as const
    tls.clientCertificates = oneOf('ssl_verify_mode', value, modes)
  },
  // 0 and 1 are TLS 1.0 and 1.1, which RFC 8996 has ended.
  ssl_min_version: ({ tls }, value) => {
    tls.minVersion = oneOf('ssl_min_version', value, { '2': 'TLSv1.2', '3': 'TLSv1.3' })
  },
  ssl_ciphers: ({ tls }, value) => {
    tls.ciphers = value
  },
  // Sessions can always be resumed: clients keep them, in tickets.
  ssl_session_cache: () => undefined,
  ssl_wbuf_size: noEffect('ssl_wbuf_size', 'what is written is bounded already'),
  ssl_kernel_tls: noEffect('ssl_kernel_tls', 'Node encrypts in the process'),
}

export const NONE: Extended = { idleTimeoutSeconds: 0, tls: {} }

export function parseExtended(text: string, before: Extended = NONE): Extended {
  const extended = { ...before, tls: { ...before.tls } }
  for (const part of text.split(',')) {
    const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(part) ?? []
    const take = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined
    if (take === undefined) {
      throw new InvalidArgumentError(`${name} is not supported; ${Object.keys(NAMES).join(', ')} are.`)
    }
    take(extended, value)
  }
  return extended
}

/** TLS as `-Z` and `-o` want it. Half of it is a mistake: whoever names a certificate means to have his connections encrypted. */
export function tlsOptions(enabled: boolean, tls: Partial<TlsOptions>): TlsOptions | undefined {
  if (!enabled) {
    if (Object.keys(tls).length > 0) throw new RangeError('-o ssl_… has no effect without -Z')
    return undefined
  }
  const { certFile } = tls
  if (certFile === undefined) throw new RangeError('-Z needs a certificate: -o ssl_chain_cert=FILE,ssl_key=FILE')
  return { ...tls, certFile }
}

function path(value: string): string {
  if (value !== '') return value
  throw new InvalidArgumentError('Expected a file behind the =.')
}

function oneOf<T>(name: string, value: string, values: Record<string, T>): T {
  const found = Object.hasOwn(values, value) ? values[value] : undefined
  if (found !== undefined) return found
  throw new InvalidArgumentError(`${name} is ${value}, and must be one of ${Object.keys(values).join(', ')}.`)
}

function noEffect(name: string, why: string): Take {
  return () => void process.stderr.write(`latchkey: ${name} has no effect: ${why}.\n`)
}
