/** Random sequences of commands do to the table what they do to a plain map, and leave the memory sound. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chosenSeed } from '../support/seed.js'
import { command, filler } from './commands.js'
import { Duel } from './duel.js'

/** Fast-check prints it when a case fails. */
const seed = chosenSeed() | 0
const RUNS = process.env.LATCHKEY_SOAK === '1' ? 3000 : 150
/** Ends the search for a smaller case, too. */
const LIMIT_MS = RUNS * 200

test('a table with room enough does what a map does', () => {
  const commands = fc.array(command, { minLength: 100, maxLength: 250, size: 'max' })
  fc.assert(
    fc.property(commands, (list) => new Duel({ memory: '8mb' }, false).run(list)),
    { seed, numRuns: RUNS, interruptAfterTimeLimit: LIMIT_MS },
  )
})

for (const memory of ['1mb', '3mb']) {
  test(`a table of ${memory} forgets, but never lies`, () => {
    let evictions = 0
    const one = fc.oneof({ weight: 6, arbitrary: command }, { weight: 2, arbitrary: filler })
    const commands = fc.array(one, { minLength: 100, maxLength: 250, size: 'max' })
    fc.assert(
      fc.property(commands, (list) => {
        const duel = new Duel({ memory }, true)
        duel.run(list)
        evictions += duel.evictions
      }),
      { seed, numRuns: RUNS / 2, interruptAfterTimeLimit: LIMIT_MS },
    )
    assert.ok(evictions > 0, 'the test did what it is for')
  })
}
