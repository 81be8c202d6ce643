/** The scripts of real clients, and how many checks each makes. */
import { npm, php, python, type Runtime, tools } from './runtimes.js'

export interface Script {
  runtime: Runtime
  /** Of the file, without its extension. */
  name: string
  /** Modules, extensions, packages or tools, with spaces between. */
  needs: string
  protocol: 'text' | 'binary'
  /** So many PASS lines it writes. */
  checks: number
  /** For `together`: which client it is to use. */
  client?: string
}

type Checks = Partial<Record<Script['protocol'], number>>

function script(runtime: Runtime, name: string, needs: string, checks: Checks): Script[] {
  const protocols = Object.keys(checks) as Script['protocol'][]
  return protocols.map((protocol) => ({ runtime, name, needs, protocol, checks: checks[protocol]! }))
}

export const scripts: readonly Script[] = [
  script(python, 'pymemcache_operations', 'pymemcache', { text: 73 }),
  script(python, 'pymemcache_sharing', 'pymemcache', { text: 23 }),
  script(python, 'python_memcached', 'memcache', { text: 57 }),
  script(python, 'pylibmc_operations', 'pylibmc', { text: 62, binary: 62 }),
  script(python, 'pylibmc_sharing', 'pylibmc', { text: 26, binary: 26 }),
  script(python, 'django_cache', 'django pymemcache memcache pylibmc', { text: 102, binary: 102 }),
  script(python, 'django_pages', 'django pymemcache', { text: 6 }),
  script(tools, 'libmemcached_tools', 'memccp memcslap memcaslap', { text: 15, binary: 15 }),
  script(php, 'memcached_operations', 'memcached', { text: 77, binary: 77 }),
  script(php, 'memcached_sharing', 'memcached', { text: 32, binary: 32 }),
  script(php, 'memcache_operations', 'memcache', { text: 35, binary: 33 }),
  script(php, 'sessions', 'memcache memcached', { text: 8, binary: 4 }),
  script(npm, 'memjs', 'memjs', { binary: 36 }),
  script(npm, 'memcached', 'memcached', { text: 54 }),
  script(npm, 'memcache', 'memcache', { text: 36, binary: 11 }),
  script(python, 'doors', 'pymemcache memcache pylibmc', { binary: 40 }),
  script(php, 'doors', 'memcached memcache', { binary: 22 }),
  script(npm, 'doors', 'memjs memcache', { binary: 6 }),
].flat()

/** Those whose server stops and starts again. */
export const restarted: readonly Script[] = [
  script(python, 'restart', 'pymemcache memcache pylibmc', { text: 16 }),
  script(php, 'restart', 'memcached memcache', { text: 12 }),
  script(npm, 'restart', 'memjs memcached memcache', { text: 12 }),
].flat()

function togetherWith(client: string, runtime: Runtime, needs: string, protocols: Script['protocol'][]): Script[] {
  return protocols.map((protocol) => ({ runtime, name: 'together', needs, protocol, checks: 2, client }))
}

/** Those that all work on one server at the same time. */
export const together: readonly Script[] = [
  togetherWith('pymemcache', python, 'pymemcache', ['text']),
  togetherWith('memcache', python, 'memcache', ['text']),
  togetherWith('pylibmc', python, 'pylibmc', ['text', 'binary']),
  togetherWith('django', python, 'django pymemcache', ['text']),
  togetherWith('memcached', php, 'memcached', ['text', 'binary']),
  togetherWith('memcache', php, 'memcache', ['text']),
  togetherWith('memjs', npm, 'memjs', ['binary']),
  togetherWith('memcached', npm, 'memcached', ['text']),
  togetherWith('memcache', npm, 'memcache', ['text']),
].flat()
