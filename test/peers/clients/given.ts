/** What every client's script is given, whatever its language: one argument, as JSON. */
export interface Given {
  /** Three, of which the first has four threads. None of them is ever emptied. */
  servers: string[]
  /** One that any script may flush at any time. */
  emptied: string
  /** An address where nobody listens. */
  down: string
  /** A server's Unix socket. */
  socket: string
  /** A server that speaks TLS only, and who vouches for it. */
  tls: { server: string; ca: string }
  /** A server that wants to know who asks. */
  login: { server: string; user: string; password: string }
  /** The servers' -m. */
  megabytes: number
  /** For how long the scripts `together` work. */
  seconds: number
}

/** What a script's row in the table tells it besides. */
export interface GivenByRow {
  /** The protocol, where the client has both. */
  binary: boolean
  /** Which client to use, where one script is for several. */
  client: string | undefined
}
