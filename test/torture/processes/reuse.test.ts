/** A participant that is used again has nothing left of what befell it before. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Incident, processes } from 'latchkey/torture'
import { pressHeap, relieveHeap } from '#dist/torture/processes/pressure.js'
import { tiny } from './tiny-plan.js'

const catalogue = new URL('./tiny.js', import.meta.url).href

/** By the second run nobody is stopped any more who was in the first one: who is stopped there, is so until that is over. */
test('a pause that outlived its run does not end one of the next run', async () => {
  const laboratory = await processes({ catalogue })
  try {
    const pause: Incident = { at: 500, what: 'pause', who: 0, ms: 4500 }
    const rounds = [[{ afterMs: 0, workMs: 10 }], [{ afterMs: 200, workMs: 1000 }]]
    await laboratory.run({ ...tiny('tiny-ours-latchkey', 'pause'), rounds, incidents: [pause] })
    const again = [0, 1].map((who): Incident => ({ at: 300, what: 'pause', who, ms: 5000 }))
    const { updates } = await laboratory.run(
      tiny('tiny-ours-latchkey', 'pause', { participants: 2, workMs: 1000, incidents: again }),
    )
    for (const { id, to } of updates) assert.ok(to >= 5300, `${id} at ${to}`)
  } finally {
    await laboratory.close()
  }
})

test('heap pressure ends when it is told to', { timeout: 60_000 }, async () => {
  const pressing = pressHeap(3_600_000)
  relieveHeap()
  await pressing
})
