/** A server that says what a test told it to, and remembers what it was told. */
import type { Socket } from 'node:net'
import { type Double, startDouble } from './double.js'

/** A request, byte for byte, data block included (or how it begins, as a pattern with `^`), and its reply. */
export type Line = [request: string | RegExp, reply: string | ((socket: Socket, request: string) => void)]

export interface ScriptedServer extends Double {
  /** All bytes of all connections, in the order of their arrival. */
  received(): string
  /** Bytes that no line of the script wanted, of all connections. */
  unexpected(): string
}

/** Each request is answered by the first line that it matches, however often it comes. Strings are latin1. */
export async function startScriptedServer(script: readonly Line[]): Promise<ScriptedServer> {
  let received = ''
  const pending = new Map<Socket, string>()
  const double = await startDouble((socket) => {
    socket.setEncoding('latin1')
    socket.on('data', (text) => {
      received += text
      pending.set(socket, answerAll(script, socket, (pending.get(socket) ?? '') + text))
    })
  })
  return { ...double, received: () => received, unexpected: () => [...pending.values()].join('') }
}

/** Answers what is complete, and returns the rest. */
function answerAll(script: readonly Line[], socket: Socket, text: string): string {
  for (;;) {
    const found = script.map((line) => ({ line, request: begins(text, line[0]) })).find((each) => each.request !== '')
    if (found === undefined) return text
    text = text.slice(found.request.length)
    const reply = found.line[1]
    if (typeof reply === 'string') socket.write(reply, 'latin1')
    else reply(socket, found.request)
  }
}

function begins(text: string, request: string | RegExp): string {
  if (typeof request === 'string') return text.startsWith(request) ? request : ''
  return request.exec(text)?.[0] ?? ''
}
