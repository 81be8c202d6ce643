/** What every client's script is given, whatever its language: one argument, as JSON. The last two are told by the script's row. */
export interface Given {
  /** Three, of which the first has four threads. None of them is ever emptied. */
  servers: string[]
  /** One that any script may flush at any time. */
  emptied: string
  /** An address where nobody listens. */
  down: string
  /** The servers' -m. */
  megabytes: number
  /** For how long the scripts `together` work. */
  seconds: number
  /** True for the binary protocol, where the client has both. */
  binary?: boolean
  /** Which client it is to be, where one script is for several. */
  client?: string
}
