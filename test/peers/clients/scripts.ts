/** The scripts of real clients: who runs them, and how many checks each makes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { requireWorking } from '../../support/peers.js'
import { projectRoot } from '../../support/root.js'
import type { Given, GivenByRow } from './given.js'

const patienceMs = 120_000
const sources = join(projectRoot, 'test/peers/clients')

interface Runtime {
  language: string
  command: string
  /** The command line up to the script's argument. */
  line(script: string): string[]
  /** A command line that exits with 0 when what a script needs is installed. */
  probe(needs: string): string[]
  packages: string
}

const python: Runtime = {
  language: 'Python',
  // Another `python3` on the PATH does not see Debian's packages.
  command: '/usr/bin/python3',
  line: (script) => ['-B', join(sources, 'python', `${script}.py`)],
  probe: (needs) => [
    '-c',
    `import sys, importlib.util as at; sys.exit(not all(map(at.find_spec, '${needs}'.split())))`,
  ],
  packages: 'apt install python3-pymemcache python3-memcache python3-pylibmc python3-django',
}

const tools: Runtime = {
  ...python,
  probe: (needs) => ['-c', `import shutil, sys; sys.exit(not all(map(shutil.which, '${needs}'.split())))`],
  packages: 'apt install libmemcached-tools',
}

const php: Runtime = {
  language: 'PHP',
  command: 'php',
  line: (script) => [join(sources, 'php', `${script}.php`)],
  probe: (needs) => ['-r', `foreach (explode(' ', '${needs}') as $name) extension_loaded($name) || exit(1);`],
  packages: 'apt install php-cli php-memcache php-memcached',
}

const npm: Runtime = {
  language: 'npm',
  command: process.execPath,
  line: (script) => ['--no-deprecation', join(import.meta.dirname, 'npm', `${script}.js`)],
  probe: (needs) => ['-p', `'${needs}'.split(' ').map((name) => require.resolve(name))`],
  packages: 'npm ci',
}

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

export function installed(t: TestContext, { runtime, needs }: Script): boolean {
  return requireWorking(t, runtime.command, runtime.probe(needs), runtime.packages)
}

export interface Done {
  code: number
  lines: string[]
  /** Everything it wrote. */
  said: string
}

export interface Running {
  /** Resolves when the script has written this line, or has ended. */
  asksFor(line: string): Promise<void>
  goOn(): void
  done: Promise<Done>
}

export function runScript({ runtime, name, protocol, client }: Script, given: Given): Running {
  const all: Given & GivenByRow = { ...given, binary: protocol === 'binary', client }
  return run(runtime.command, [...runtime.line(name), JSON.stringify(all)])
}

export function run(command: string, args: string[]): Running {
  const child = spawn(command, args, { timeout: patienceMs })
  let [written, said] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written += text
    said += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  let ended = false
  const done = once(child, 'close').then(([code]) => {
    ended = true
    return { code: code ?? -1, lines: written.split('\n'), said }
  })
  return {
    asksFor: async (line) => {
      while (!written.includes(`${line}\n`) && !ended) await Promise.race([once(child.stdout, 'data'), done])
    },
    goOn: () => child.stdin.write('\n'),
    done,
  }
}
