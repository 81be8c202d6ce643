/** How requests to ZooKeeper fail: it has refused, or nobody knows. */

/** ZooKeeper refused it: nothing was done. */
export class ZooKeeperError extends Error {
  readonly code: number

  constructor(code: number) {
    super(`ZooKeeper says ${NAMES.get(code) ?? `error ${code}`}`)
    this.code = code
  }
}

export const NO_NODE = -101
export const BAD_VERSION = -103
export const NODE_EXISTS = -110

const NAMES = new Map([
  [NO_NODE, 'that there is no such node'],
  [-102, 'that it is not allowed'],
  [BAD_VERSION, 'that it is another version'],
  [NODE_EXISTS, 'that the node is there already'],
  [-112, 'that the session has ended'],
  [-115, 'that the account is not accepted'],
])

/** The connection ended, or no answer came in time. `sent`: it may have been done. */
export class ConnectionEnded extends Error {
  readonly sent: boolean

  constructor(why: string, sent: boolean) {
    super(why)
    this.sent = sent
  }
}
