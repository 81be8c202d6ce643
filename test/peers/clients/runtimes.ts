/** What runs the clients' scripts. */
import { join } from 'node:path'
import { projectRoot } from '../../support/root.js'

const sources = join(projectRoot, 'test/peers/clients')

export interface Runtime {
  language: string
  command: string
  /** The command line up to the script's argument. */
  line(script: string): string[]
  /** A command line that exits with 0 when what a script needs is installed. */
  probe(needs: string): string[]
  packages: string
}

export const python: Runtime = {
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

/** The tools of libmemcached, run by a Python script. */
export const tools: Runtime = {
  ...python,
  probe: (needs) => ['-c', `import shutil, sys; sys.exit(not all(map(shutil.which, '${needs}'.split())))`],
  packages: 'apt install libmemcached-tools',
}

export const php: Runtime = {
  language: 'PHP',
  command: 'php',
  line: (script) => [join(sources, 'php', `${script}.php`)],
  probe: (needs) => ['-r', `foreach (explode(' ', '${needs}') as $name) extension_loaded($name) || exit(1);`],
  packages: 'apt install php-cli php-memcache php-memcached',
}

export const npm: Runtime = {
  language: 'npm',
  command: process.execPath,
  line: (script) => ['--no-deprecation', join(import.meta.dirname, 'npm', `${script}.js`)],
  probe: (needs) => ['-p', `'${needs}'.split(' ').map((name) => require.resolve(name))`],
  packages: 'npm ci',
}
