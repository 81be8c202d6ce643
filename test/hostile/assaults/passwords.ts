/** Wrong passwords, as many as one likes: over the text protocol and over SASL, many a connection where the server lets it. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import type { Attack } from '../assault.js'
import { type Door, password, user } from '../doors.js'
import { answers, saslFrame } from '../frames.js'
import { leave, read, write } from '../sockets.js'

/** Tries in one write; what the server does not take, because it has hung up, is not counted. */
const inFlight = 100
const connections = 8

interface Speech {
  words: (password: string) => string
  /** How many of the tries were answered, and refused. */
  refusals: (replies: string) => number
  accepted: (replies: string) => boolean
}

export const speeches: Record<'text' | 'SASL', Speech> = {
  text: {
    words: (word) => {
      const data = `${user} ${word}`
      return `set x 0 0 ${data.length}\r\n${data}\r\n`
    },
    refusals: (replies) => replies.split('CLIENT_ERROR authentication failure\r\n').length - 1,
    accepted: (replies) => replies === 'STORED\r\n',
  },
  SASL: {
    words: (word) => saslFrame(user, word),
    refusals: (replies) => answers(replies).filter(({ status }) => status === 0x20).length,
    accepted: (replies) => answers(replies)[0]?.status === 0,
  },
}

/** All lengths, and many that begin as the right one does. */
function wrongWord(count: number): string {
  const right = password.slice(0, count % (password.length + 1))
  return count % 2 === 0 ? `${right}${count}` : `${count}`.repeat(1 + (count % 40))
}

export function wrongPasswords(kind: keyof typeof speeches, count: number): Attack {
  return async (door, atItsHeight) => {
    const speech = speeches[kind]
    let [begun, tried, opened] = [0, 0, 0]
    const guess = async () => {
      while (begun < count) {
        const first = begun
        const most = Math.min(inFlight, count - first)
        begun += most
        const socket = await door.open()
        opened++
        const refused = await guessOn(socket, speech, most, first)
        tried += refused
        if (tried > count / 2) atItsHeight()
        await leave([socket])
      }
    }
    const began = performance.now()
    await Promise.all(Array.from({ length: connections }, guess))
    const perSecond = Math.round((tried / (performance.now() - began)) * 1000)
    await rightPasswordStillWorks(door, speech)
    return `${tried} wrong passwords over ${opened} connections, ${perSecond}/s; the right one still works`
  }
}

async function guessOn(socket: Socket, speech: Speech, most: number, first: number): Promise<number> {
  const tries = Array.from({ length: most }, (_, index) => speech.words(wrongWord(first + index)))
  void write(socket, tries.join(''))
  const replies = await read(socket, (text) => speech.refusals(text) >= most)
  const refused = speech.refusals(replies)
  assert.ok(refused > 0, `no wrong password was refused: ${JSON.stringify(replies.slice(0, 200))}`)
  return refused
}

async function rightPasswordStillWorks(door: Door, speech: Speech): Promise<void> {
  const socket = await door.open()
  void write(socket, speech.words(password))
  const isThere = (text: string) => speech.accepted(text) || speech.refusals(text) > 0
  assert.ok(speech.accepted(await read(socket, isThere)), 'the right password was refused')
  await leave([socket])
}
