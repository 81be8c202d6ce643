import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Queue } from '#dist/client/queue.js'

test('a queue does as an array does', () => {
  const steps = fc.array(
    fc.oneof({ weight: 3, arbitrary: fc.nat() }, fc.constantFrom('shift', 'peek', 'all', 'drain')),
    {
      maxLength: 500,
    },
  )
  fc.assert(
    fc.property(steps, (todo) => {
      const queue = new Queue<number>()
      const model: number[] = []
      for (const step of todo) {
        if (typeof step === 'number') {
          queue.push(step)
          model.push(step)
        } else if (step === 'shift') assert.equal(queue.shift(), model.shift())
        else if (step === 'peek') assert.equal(queue.peek(), model[0])
        else if (step === 'all') assert.deepEqual([...queue], model)
        else if (model.length % 7 === 0) assert.deepEqual(queue.drain(), model.splice(0))
        assert.equal(queue.length, model.length)
      }
    }),
    { numRuns: 200, seed: 20_261_121 },
  )
})
