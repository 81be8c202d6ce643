/** The example of docs/FENCING.md is compiled and run as it stands, but for the address of the server. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { examplesOf, runExamples } from '../support/examples.js'
import { Postgres, requirePostgres } from '../support/postgres.js'
import { startLatchkey } from '../support/process.js'

test('the example of a holder that slept too long', async (t: TestContext) => {
  if (!requirePostgres(t)) return
  const postgres = await Postgres.start()
  const latchkey = await startLatchkey({ threads: 1 })
  try {
    const examples = examplesOf('docs/FENCING.md').filter((code) => code.includes("from 'pg'"))
    assert.equal(examples.length, 1)
    const here = examples[0].replaceAll('localhost:11211', `localhost:${latchkey.port}`)
    const [said] = runExamples('fencing', [here], postgres.environment)
    assert.match(
      said,
      /^invoice: fence \d+ is too old, fence \d+ has written\ninvoice:42: fence \d+ is too old, a newer one/,
    )
    assert.match(said, /\npaid by the second\npaid by the second\n$/)
  } finally {
    await latchkey.stop()
    await postgres.stop()
  }
})
