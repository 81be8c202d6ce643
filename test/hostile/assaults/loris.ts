/**
 * Slow loris: many connections, each in the middle of something, which goes on by a byte now and then. In the end each says
 * the rest of it, and is answered as if it had never dawdled; or it was hung up on, where that is what the state asks for.
 */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import type { Attack } from '../assault.js'
import type { Door } from '../doors.js'
import { leave, many, read, write } from '../sockets.js'
import type { LorisState } from './loris-states.js'

export interface LorisSize {
  /** Connections in each state. */
  each: number
  /** Bytes that each says one by one, and the pause between two. */
  bytes: number
  pauseMs: number
}

export function loris(states: readonly LorisState[], size: LorisSize): Attack {
  return async (door, atItsHeight) => {
    const all = await Promise.all(states.map((state) => enter(state, door, size.each)))
    for (let byte = 0; byte < size.bytes; byte++) {
      await Promise.all(all.flatMap(({ state, sockets }) => sockets.map((socket) => say(socket, state, byte))))
      await new Promise((resolve) => setTimeout(resolve, size.pauseMs))
    }
    atItsHeight()
    for (const { state, sockets } of all) await Promise.all(sockets.map((socket) => finish(socket, state, size.bytes)))
    await leave(all.flatMap(({ sockets }) => sockets))
    return `${size.each} connections in each of ${states.length} states, a byte every ${size.pauseMs} ms for ${(size.bytes * size.pauseMs) / 1000} s`
  }
}

async function enter(state: LorisState, door: Door, count: number): Promise<{ state: LorisState; sockets: Socket[] }> {
  const sockets = await many(count, () => (state.bare === true ? door.openBare() : door.open()))
  await Promise.all(sockets.map((socket) => write(socket, state.bytes.slice(0, state.from))))
  return { state, sockets }
}

function say(socket: Socket, { bytes, from }: LorisState, byte: number): Promise<void> {
  return write(socket, bytes[from + byte] ?? '')
}

async function finish(socket: Socket, state: LorisState, said: number): Promise<void> {
  const { name, bytes, from, reply } = state
  if (reply === undefined) return
  void write(socket, bytes.slice(from + said))
  const got = await read(socket, (text) => text.length >= reply.length)
  assert.equal(got.replace(tokens, noTokens), reply.replace(tokens, noTokens), name)
}

/** A binary reply's token, which is of its time. */
const tokens = /(\x81[\s\S]{15})[\s\S]{8}/g
const noTokens = '$1........'
