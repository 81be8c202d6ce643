/** What an assault is, and the frame that each runs in: an ordinary client beside it, and what the server takes before, during and after. */
import assert from 'node:assert/strict'
import { Bystander, type Service } from './bystander.js'
import type { Door } from './doors.js'
import { descriptorsBack, type Footprint, footprint } from './footprint.js'

export interface Figures {
  what: string
  door: Door['kind']
  before: Footprint
  /** At the height of it. */
  during: Footprint
  /** When all who attacked have gone. */
  after: Footprint
  service: Service
  seconds: number
  /** What this assault has to tell besides. */
  words: string
}

/** Does its worst, calls `atItsHeight` then, ends, and says what else there is to tell. */
export type Attack = (door: Door, atItsHeight: () => void) => Promise<string>

export async function assault(what: string, door: Door, attack: Attack): Promise<Figures> {
  const bystander = await Bystander.begin(door)
  try {
    const told = await suffer(door, attack)
    const service = await bystander.end()
    assert.ok(door.server.alive(), `the server has died: ${door.server.stderr()}`)
    return { what, door: door.kind, ...told, service }
  } finally {
    bystander.leave()
  }
}

async function suffer(door: Door, attack: Attack): Promise<Omit<Figures, 'what' | 'door' | 'service'>> {
  const before = footprint(door.server)
  let during = before
  const began = performance.now()
  const words = await attack(door, () => {
    during = footprint(door.server)
  })
  const seconds = Math.round((performance.now() - began) / 100) / 10
  return { before, during, after: await descriptorsBack(door.server, before), seconds, words }
}
