/** Messages of a command that shares its stderr with another program. */
import { write, writeSync } from 'node:fs'

/**
 * Writes a line to stderr. By descriptor: `process.stderr` would make a pipe non-blocking for everybody who has it, and the
 * command that runs beside us with it could not write to it as it expects.
 */
export function say(message: string): void {
  try {
    writeSync(2, `latchkey: ${message}\n`)
  } catch {
    // Nobody reads it any more. What is done matters more than that it is told.
  }
}

/** The same for who has more urgent things to do than to wait until somebody reads a full pipe. */
export function sayLater(message: string): void {
  write(2, `latchkey: ${message}\n`, () => {})
}
