/** A few words to a server that understands lines, and all that it says to them. */
import { connect } from 'node:net'

/** One that is just starting may never answer. Milliseconds. */
const PATIENCE_MS = 500

/** Until it hangs up, or for so long. Nothing from one that cannot be reached. */
export function said(host: string, port: number, words: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, host)
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
    socket.setTimeout(PATIENCE_MS, () => socket.destroy())
    socket.write(words)
  })
}
