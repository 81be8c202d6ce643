/** The gate to real peers: what is not installed is skipped with its reason, or fails where peers are required. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'

const required = process.env.LATCHKEY_REQUIRE_PEERS === '1'

/** True when `path` exists. Otherwise skips the test with the reason; with LATCHKEY_REQUIRE_PEERS=1 it throws. */
export function requirePeer(t: TestContext, path: string, howToGet = ''): boolean {
  return existsSync(path) || missing(t, `${path} is not installed${howToGet === '' ? '' : ` (${howToGet})`}`)
}

/** As `requirePeer`, for what only shows by trying: true when `command` exits with 0. */
export function requireWorking(t: TestContext, command: string, args: string[], howToGet: string): boolean {
  const run = spawnSync(command, args, { encoding: 'utf8' })
  return run.status === 0 || missing(t, `${command} ${args.join(' ')} does not work here (${howToGet})`)
}

function missing(t: TestContext, reason: string): false {
  if (required) throw new Error(`LATCHKEY_REQUIRE_PEERS=1, but ${reason}`)
  t.skip(reason)
  return false
}
