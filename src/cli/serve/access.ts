/** Who has to say who he is (`-Y`, `-S`), and in which protocol. */
import type { ServeOptions } from '../../server/index.js'

type Access = Pick<ServeOptions, 'authFile' | 'protocol'>

export interface AccessFlags {
  authFile?: string
  enableSasl?: boolean
  protocol: NonNullable<ServeOptions['protocol']>
}

/**
 * memcached's `-S` is SASL, and no text protocol: its file is named by the environment. With `-Y` the file is named, and both
 * protocols go by it. Throws `RangeError`.
 */
export function access({ authFile, enableSasl, protocol }: AccessFlags, sasl: string | undefined): Access {
  if (enableSasl && protocol === 'ascii')
    throw new RangeError('-S is for the binary protocol, which -B ascii rules out')
  if (authFile !== undefined) return { authFile, protocol }
  if (!enableSasl) return { protocol }
  if (sasl !== undefined && sasl !== '') return { authFile: sasl, protocol: 'binary' }
  throw new RangeError(
    '-S needs a file of user:password lines: name it with -Y FILE, or in MEMCACHED_SASL_PWDB; the data base of saslpasswd2 is not read',
  )
}
