/** Certificates and keys for tests, and the options with which a server uses them. All are for these tests alone. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from './root.js'

export const tlsFile = (name: string): string => join(projectRoot, 'test/support/tls', name)
export const tlsBytes = (name: string): Buffer => readFileSync(tlsFile(name))

/** For memcached and for Latchkey. */
export const tlsArgs: readonly string[] = [
  '-Z',
  '-o',
  `ssl_chain_cert=${tlsFile('cert.pem')},ssl_key=${tlsFile('key.pem')}`,
]
