/** PostgreSQL: a cluster in a folder of its own, with the table of locks. */
import { execFile, execFileSync } from 'node:child_process'
import { appendFileSync, chownSync, existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Pool, PoolConfig } from 'pg'
import { createPostgresTable, postgres } from '../../../locks/index.js'
import type { Program } from '../programs.js'
import { FOREIGN_TTL_S } from '../site.js'
import type { Address } from '../wires.js'
import { startAlone } from './alone.js'
import type { Engine } from './engine.js'
import { firstMissing, packageFile, programNamed } from './installed.js'

const execute = promisify(execFile)
const versions = '/usr/lib/postgresql'
const CONNECT_MS = 5000

/** The folder of its programs: where Debian puts the newest one, or where they can be started by their names; undefined: none. */
export const postgresBin = newestBin() ?? folderOf(programNamed('postgres'))

export const postgresEngine: Engine = {
  missing: () => firstMissing({ postgres: postgresBin, 'npm package pg': packageFile('pg') }),
  start: (count, estate) => startAlone(program(), count, estate),
  async connect({ addresses: [address] }) {
    const pool = await poolAt(address)
    return { driver: postgres({ pool }), close: () => pool.end() }
  },
  strangers: {
    set: (key, server) => run(server, SET, key),
    touch: (key, server) => run(server, TOUCH, key),
    delete: (key, server) => run(server, 'DELETE FROM latchkey_locks WHERE name = $1', key),
  },
}

const SOON = `clock_timestamp() + interval '${FOREIGN_TTL_S} s'`
const SET = `INSERT INTO latchkey_locks (name, record, expires_at) VALUES ($1, 'foreign', ${SOON})
  ON CONFLICT (name) DO UPDATE SET record = EXCLUDED.record, expires_at = EXCLUDED.expires_at`
const TOUCH = `UPDATE latchkey_locks SET expires_at = ${SOON} WHERE name = $1`

function program(): Program {
  return {
    name: 'PostgreSQL',
    prepare: (_host, _port, directory) => createCluster(directory),
    line: (host, port, directory) => postgresLine(directory, [`listen_addresses=${host}`, `port=${port}`]),
    user: unprivileged(),
    answers: isReady,
  }
}

/** In `data` below the directory, which belongs to whom PostgreSQL runs as from then on. Nobody there asks for passwords. */
export async function createCluster(directory: string): Promise<void> {
  const who = unprivileged()
  if (who !== undefined) chownSync(directory, who.uid, who.gid)
  const data = join(directory, 'data')
  const layout = ['-D', data, '-U', 'latchkey', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  await execute(join(postgresBin!, 'initdb'), layout, { ...who, cwd: directory })
  appendFileSync(join(data, 'pg_hba.conf'), 'host all all 127.0.0.0/8 trust\n')
}

/** Nothing is flushed to the disk: nobody pulls the plug. */
export function postgresLine(directory: string, settings: readonly string[]): string[] {
  const all = [`unix_socket_directories=${directory}`, 'fsync=off', ...settings]
  return [join(postgresBin!, 'postgres'), '-D', join(directory, 'data'), ...all.flatMap((setting) => ['-c', setting])]
}

/** PostgreSQL refuses to run as root; its package has made a user for it. undefined: it runs as we do. */
export function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (option: string) => Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/** And has the table. */
async function isReady(host: string, port: number): Promise<boolean> {
  const pool = await poolAt(`${host}:${port}`, { max: 1 })
  try {
    await createPostgresTable(pool)
    return true
  } catch {
    return false
  } finally {
    await pool.end()
  }
}

async function poolAt(address: string, more: PoolConfig = {}): Promise<Pool> {
  const { default: pg } = await import('pg')
  const { hostname: host, port } = new URL(`http://${address}`)
  const who = { user: 'latchkey', database: 'postgres' }
  const pool = new pg.Pool({ host, port: Number(port), ...who, connectionTimeoutMillis: CONNECT_MS, ...more })
  // Connections that nobody uses may break, too.
  pool.on('error', () => {})
  return pool
}

async function run({ host, port }: Address, statement: string, key: string): Promise<void> {
  const pool = await poolAt(`${host}:${port}`, { max: 1 })
  try {
    await pool.query(statement, [key])
  } finally {
    await pool.end()
  }
}

function newestBin(): string | undefined {
  if (!existsSync(versions)) return undefined
  const bins = readdirSync(versions).map((version) => join(versions, version, 'bin'))
  return bins
    .filter((bin) => existsSync(join(bin, 'postgres')))
    .sort((one, other) => one.localeCompare(other, 'en', { numeric: true }))
    .at(-1)
}

function folderOf(file: string | undefined): string | undefined {
  return file && dirname(file)
}
