/** How servers are started, and known to have started. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FaultName } from '../faults.js'

export interface Program {
  readonly name: string
  /** The command and its arguments. `port` 0: any that is free. */
  line(host: string, port: number, directory: string): readonly string[]
  readonly env?: (directory: string) => Record<string, string>
  /** What has to be there before its first start. */
  prepare?(host: string, port: number, directory: string): Promise<void>
  /** undefined: not known yet. Default: as it was told. */
  port?(said: string, directory: string): number | undefined
  /** It does what it is asked for. Default: it accepts connections. */
  answers?(host: string, port: number): Promise<boolean>
  /** Whom it runs as. Default: who runs the laboratory. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined
  /** Its files are in memory where that can be had: nobody pulls the plug here, and flushing takes long. */
  readonly inMemory?: boolean
}

/** Items in MiB; small, so that it is soon full. */
const MEMORY_MIB = 2

export function latchkeyProgram(evicts: boolean, maxLeaseMs: number): Program {
  return {
    name: 'latchkey serve',
    line: (host, port, directory) => [
      ...[process.execPath, packagePath('latchkey'), 'serve', '-l', host, '-p', `${port}`, '-t', '2'],
      ...['-m', `${MEMORY_MIB}`, '--state-dir', directory, '--max-lease', `${Math.ceil(maxLeaseMs / 1000)}`],
      ...(evicts ? [] : ['-M']),
    ],
    port: (said) => numberIn(said, /listening on \S*:(\d+)/),
  }
}

/** A file in which a server writes its port; taken away before it starts. */
export const PORT_FILE = 'port'

export function memcachedProgram(fault: FaultName): Program {
  return {
    name: 'memcached',
    line: (host, port, _directory) => [
      ...['memcached', '-u', 'root', '-l', host, '-p', port === 0 ? '-1' : `${port}`, '-U', '0', '-t', '2'],
      ...['-m', `${MEMORY_MIB}`, ...memoryOptions(fault)],
    ],
    env: (directory) => ({ MEMCACHED_PORT_FILENAME: join(directory, PORT_FILE) }),
    port(_said, directory) {
      const file = join(directory, PORT_FILE)
      return existsSync(file) ? numberIn(readFileSync(file, 'utf8'), /TCP INET: (\d+)/) : undefined
    },
  }
}

/** By itself it keeps what is asked for again and again, such as a lock that others wait for: what is oldest goes without that. */
function memoryOptions(fault: FaultName): string[] {
  if (fault === 'full') return ['-M']
  return fault === 'evict' ? ['-o', 'no_lru_maintainer'] : []
}

function numberIn(text: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(text)
  return found === null ? undefined : Number(found[1])
}

/** Our own program, as the package names it: to run it is not to import it. */
function packagePath(bin: string): string {
  const root = new URL('../../../package.json', import.meta.url)
  const { bin: programs } = JSON.parse(readFileSync(root, 'utf8'))
  return fileURLToPath(new URL(programs[bin], root))
}
