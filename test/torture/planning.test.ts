/** Plans: within the bounds that make them fit for real time, and with something in them that can hit. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { algorithmNamed, catalogue, type FaultName, faultKinds, type Plan, planOf } from 'latchkey/torture'

const SEEDS = 100
/** Of every algorithm under every fault. */
const EACH = 25
const faults = faultKinds.map(({ name }) => name)
/** Faults that are in the rounds, or in how the participants are made. */
const withoutIncidents: readonly FaultName[] = ['none', 'overrun', 'boundary', 'lists']

function everyPlan(see: (plan: Plan, name: string) => void): void {
  for (const algorithm of catalogue) {
    for (const fault of faults) {
      for (let seed = 0; seed < EACH; seed++) see(planOf(algorithm, fault, seed), `${algorithm.name} ${fault} ${seed}`)
    }
  }
}

test('a plan is the same every time, plain data, and another for another seed', () => {
  everyPlan((plan, name) => {
    const again = planOf(algorithmNamed(plan.algorithm), plan.fault, plan.seed)
    assert.deepEqual(JSON.parse(JSON.stringify(plan)), again, name)
    const other = planOf(algorithmNamed(plan.algorithm), plan.fault, plan.seed + 1)
    assert.notDeepEqual({ ...other, seed: plan.seed }, plan, name)
  })
})

test('participants, rounds, leases and work are within their bounds', () => {
  everyPlan(({ rounds, ttlMs, lengthMs, fault, incidents }, name) => {
    assert.ok(rounds.length >= 3 && rounds.length <= 5, name)
    assert.ok(
      rounds.every((each) => each.length >= 2 && each.length <= 6),
      name,
    )
    assert.ok(ttlMs >= 1000 && ttlMs <= 4000, name)
    const times = rounds.flat().flatMap(({ afterMs, workMs }) => [afterMs, workMs])
    const strikes = incidents.map((incident) => incident.at + ('ms' in incident ? incident.ms : 0))
    for (const ms of [...times, ...strikes]) assert.ok(Number.isInteger(ms) && ms >= 0 && ms <= lengthMs, name)
    const workMs = rounds.flat().reduce((sum, round) => sum + round.workMs, 0)
    assert.ok(workMs <= lengthMs / 2, name)
    assert.ok(lengthMs <= (name.startsWith('latchkey') && fault === 'restart' ? 29_000 : 12_000), name)
    if (fault === 'overrun') assert.ok(Math.max(...times) > ttlMs, name)
  })
})

test('where nothing goes wrong, all ask at once and nobody works for long', () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const { rounds, incidents, ttlMs } = planOf(algorithmNamed('get-then-set'), 'none', seed)
    assert.ok(rounds.every(([first]) => first.afterMs === 0))
    assert.ok(rounds.flat().every(({ workMs }) => workMs < ttlMs / 4))
    assert.deepEqual(incidents, [])
  }
})

test('each fault strikes somebody who is there, in the order of time', () => {
  everyPlan(({ fault, incidents, rounds, algorithm }, name) => {
    assert.equal(incidents.length > 0, !withoutIncidents.includes(fault), name)
    const { servers = 1 } = algorithmNamed(algorithm)
    for (const [i, incident] of incidents.entries()) {
      assert.ok(i === 0 || incidents[i - 1].at <= incident.at, name)
      if ('who' in incident) assert.ok(incident.who < rounds.length, name)
      if ('server' in incident) assert.ok(incident.server < servers, name)
    }
  })
})

test('pauses are below, about and beyond the lease', () => {
  const parts: number[] = []
  for (let seed = 0; seed < SEEDS; seed++) {
    const { incidents, ttlMs } = planOf(algorithmNamed('add-token-pause'), 'pause', seed)
    for (const incident of incidents) if (incident.what === 'pause') parts.push(incident.ms / ttlMs)
  }
  for (const [least, most] of [
    [0, 0.85],
    [0.85, 1.15],
    [1.15, 2],
  ]) {
    assert.ok(
      parts.some((part) => part >= least && part < most),
      `${least} to ${most}`,
    )
  }
})

test('a plan of crashes leaves one alive', () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const { incidents, rounds } = planOf(algorithmNamed('latchkey-lease'), 'crash', seed)
    const killed = new Set(incidents.map((incident) => 'who' in incident && incident.who))
    assert.ok(killed.size < rounds.length)
  }
})

test('leases are those of the story', () => {
  assert.equal(planOf(algorithmNamed('add-token-1s'), 'none', 1).ttlMs, 1000)
  assert.equal(planOf(algorithmNamed('add-delete'), 'boundary', 1).ttlMs, 1000)
  assert.equal(planOf(algorithmNamed('memcached-fenced'), 'boundary', 1).ttlMs, 2000)
  assert.equal(planOf(algorithmNamed('latchkey-fenced'), 'boundary', 1).ttlMs, 1000)
})

test('for one seed, ours and the museum get the same schedule', () => {
  const one = planOf(algorithmNamed('add-token-pause'), 'pause', 7)
  const other = planOf(algorithmNamed('latchkey-fenced'), 'pause', 7)
  assert.deepEqual({ ...other, algorithm: one.algorithm }, one)
})
