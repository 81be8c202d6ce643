/** Clocks of a machine, and when its process runs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LeaseClock } from 'latchkey/locks'
import { Machine } from '#dist/torture/simulation/machine.js'
import { VirtualTime } from '#dist/torture/simulation/virtual-time.js'

function newMachine(rate = 1) {
  const time = new VirtualTime()
  const log: string[] = []
  const machine = new Machine(0, time, rate, { ran: () => undefined, killed: () => log.push('killed') })
  const say = (what: string) => () => void log.push(`${what} ${time.now()}`)
  return { time, machine, log, say }
}

test('while it is paused nothing runs, and its clocks go on; then everything runs in order', async () => {
  const { time, machine, log, say } = newMachine()
  machine.timer(5, say('timer'))
  time.timer(7, () => machine.deliver(say('arrival')))
  machine.timer(8, () => {
    log.push('second timer')
    machine.timer(1, say('later'))
  })
  time.timer(20, () => machine.deliver(say('at its end')))
  time.timer(2, () => machine.pause(18))
  await time.advance(30)
  assert.deepEqual(log, ['timer 20', 'arrival 20', 'second timer', 'at its end 20', 'later 21'])
  assert.equal(machine.monotonicMs(), 30)
})

test('while it sleeps its monotonic clock stands still, and a lease clock finds the time gone', async () => {
  const { time, machine, log, say } = newMachine()
  const clock = new LeaseClock(machine)
  const wallMs = machine.wallMs()
  machine.timer(10, say('timer'))
  time.timer(4, () => machine.suspend(1000))
  await time.advance(1500)
  assert.deepEqual(log, ['timer 1010'])
  assert.equal(machine.monotonicMs(), 500)
  assert.equal(machine.wallMs() - wallMs, 1500)
  assert.equal(clock.now(), 1500)
})

test('a stall passes in the middle of a step, and timers and arrivals come after it', async () => {
  const { time, machine, log, say } = newMachine()
  machine.timer(5, say('timer'))
  time.timer(6, () => machine.deliver(say('arrival')))
  time.timer(1, () => machine.stall(100, say('struck')))
  time.timer(2, () =>
    machine.deliver(() => {
      const before = machine.monotonicMs()
      machine.act()
      log.push(`${before} and then ${machine.monotonicMs()}`)
      machine.elsewhere(1, say('sent'))
      Promise.resolve().then(say('code goes on'))
    }),
  )
  await time.advance(200)
  assert.deepEqual(log, ['struck 2', '2 and then 102', 'code goes on 2', 'timer 102', 'arrival 102', 'sent 103'])
})

test('its clock can be set, which its timers do not see, and be a little wrong', async () => {
  const { time, machine, log, say } = newMachine(1.0004)
  const wallMs = machine.wallMs()
  machine.setClock(-3_600_000)
  machine.timer(10_004, say('timer'))
  await time.advance(20_000)
  assert.equal(machine.wallMs() - wallMs, 20_008 - 3_600_000)
  assert.equal(log.length, 1)
  assert.ok(Math.abs(Number(log[0].split(' ')[1]) - 10_000) < 0.001)
})

test('when it is killed nothing runs any more, nor what was held back; what it has sent away happens', async () => {
  const { time, machine, log, say } = newMachine()
  machine.timer(5, say('timer'))
  machine.elsewhere(9, say('elsewhere'))
  machine.pause(7)
  time.timer(6, () => machine.kill())
  await time.advance(20)
  assert.deepEqual(log, ['killed', 'elsewhere 9'])
})
