/** The user that a server started by root goes on as (`-u`). */
import { execFileSync } from 'node:child_process'
import { chownSync } from 'node:fs'

export interface Identity {
  readonly uid: number
  readonly gid: number
}

/** Of a name, or of a number, which need not belong to anybody. */
export function identityOf(user: string): Identity {
  const id = (kind: '-u' | '-g') =>
    Number(execFileSync('id', [kind, '--', user], { stdio: ['ignore', 'pipe', 'pipe'] }))
  try {
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    if (/^\d+$/.test(user)) return { uid: Number(user), gid: Number(user) }
    throw new Error('there is no such user')
  }
}

/** Ends the process with 1 when that cannot be. The Unix socket goes along, as if that user had made it. */
export function becomeUser(user: string, socketPath: string | undefined): void {
  try {
    const { uid, gid } = identityOf(user)
    if (socketPath !== undefined) chownSync(socketPath, uid, gid)
    process.setgroups?.([])
    process.setgid?.(gid)
    process.setuid?.(uid)
  } catch (error) {
    process.stderr.write(`latchkey: cannot become user ${user}: ${(error as Error).message}\n`)
    process.exit(1)
  }
}
