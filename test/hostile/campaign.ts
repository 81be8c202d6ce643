/** All assaults, at a size. */
import { assault, type Figures } from './assault.js'
import { comeAndGo, crowd } from './assaults/crowd.js'
import { everyKey } from './assaults/keys.js'
import { lengths } from './assaults/lengths.js'
import { type LorisSize, loris } from './assaults/loris.js'
import { lorisStates } from './assaults/loris-states.js'
import { wrongPasswords } from './assaults/passwords.js'
import { type Door, type DoorKind, openDoor } from './doors.js'

export interface Size {
  crowd: number
  stayMs: number
  comeAndGo: number
  passwords: number
  loris: LorisSize
}

/** One server a door, which bears them all, one after the other. */
export async function campaign(kind: DoorKind, size: Size, tell: (figures: Figures) => void): Promise<void> {
  const door = await openDoor(kind, size.crowd + size.loris.each * lorisStates.length + 1000)
  try {
    await run(door, size, tell)
  } finally {
    await door.stop()
  }
}

async function run(door: Door, size: Size, tell: (figures: Figures) => void): Promise<void> {
  const states = lorisStates.filter(({ doors }) => doors.includes(door.kind))
  tell(await assault('opened and left', door, crowd(size.crowd, size.stayMs)))
  tell(await assault('come and gone', door, comeAndGo(size.comeAndGo)))
  tell(await assault('slow loris', door, loris(states, size.loris)))
  if (door.kind === 'password') {
    tell(await assault('wrong passwords, text', door, wrongPasswords('text', size.passwords)))
    tell(await assault('wrong passwords, SASL', door, wrongPasswords('SASL', size.passwords)))
  } else {
    tell(await assault('lengths', door, lengths(size.stayMs)))
    tell(await assault('keys with every byte', door, everyKey))
  }
}
