/** The catalogue: the museum is whole, and ours promise what the page on locks says, no less and no more. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { algorithmNamed, catalogue, type FaultName, faultKinds, lockKey, onEngines } from 'latchkey/torture'
import { engines } from '#dist/torture/processes/engines/index.js'
import { projectRoot } from '../support/root.js'

const ours = catalogue.filter(({ row }) => row === undefined)
const everything = [...catalogue, ...Object.values(onEngines)]
const museum = catalogue.filter(({ row }) => row !== undefined)

test('the museum has all of its rows, in order, each with a story that can be told', () => {
  const rows = museum.map(({ row }) => row!)
  assert.deepEqual([...new Set(rows)], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
  for (const { name, story, without = [] } of museum) assert.ok(story && !without.includes(story), name)
})

test('every name is that of one algorithm', () => {
  for (const algorithm of everything) assert.equal(algorithmNamed(algorithm.name), algorithm)
  assert.equal(new Set(everything.map(({ name }) => name)).size, everything.length)
  assert.throws(() => algorithmNamed('mutex'), /no algorithm mutex/)
})

test('ours are on every home, with fences and without', () => {
  assert.deepEqual(
    ours.map(({ name }) => name).sort(),
    ['embedded', 'latchkey', 'memcached'].flatMap((home) => [`${home}-fenced`, `${home}-lease`]),
  )
  assert.equal(lockKey(ours[0], 'a'), 'latchkey:lock:a')
  assert.equal(lockKey(museum[0], 'a'), 'a')
})

test('lists of one server are the same in any order', () => {
  for (const { name, servers = 1, without = [] } of everything) {
    if (servers === 1) assert.ok(without.includes('lists'), name)
  }
})

/** The rows of the table under “What holds under which fault” that are about one of the faults here. */
const rows: Readonly<Record<string, readonly FaultName[]>> = {
  'many ask at once': ['none'],
  'the holder is paused past its lease': ['pause'],
  'its event loop is blocked past its lease': ['stall', 'heap'],
  'a request is lost, or its reply': ['lost-reply', 'partition'],
  'the connection breaks, or the server cannot be reached': ['blip'],
  'a clock is set, or a machine suspended': ['clock', 'suspend'],
  'the server is killed and starts again': ['restart'],
  'memory is full, and what is oldest goes': ['evict'],
  'memory is full, and nothing new is stored': ['full'],
  '`flush_all`': ['flush'],
  'somebody sets, touches or deletes the key': ['foreign'],
}
/** A lease ends in time by its own count, whether its holder runs or not. */
const stopped: readonly FaultName[] = ['pause', 'stall', 'heap']
const columns = { embedded: 2, latchkey: 3, memcached: 5 } as const
type Home = keyof typeof columns

function fencesIn(home: Home): FaultName[] {
  const table = readFileSync(join(projectRoot, 'docs/LOCKS.md'), 'utf8').split('\n')
  return Object.entries(rows).flatMap(([title, faults]) => {
    const line = table.find((each) => each.startsWith(`| ${title} |`))
    assert.ok(line, title)
    return line.split('|')[columns[home]].includes('fence') ? faults : []
  })
}

for (const home of ['embedded', 'latchkey', 'memcached'] as const) {
  test(`${home}: two may believe where the page says “fence” and the holder was not stopped, and nowhere else`, () => {
    const forgotten = fencesIn(home).filter((fault) => !stopped.includes(fault))
    assert.deepEqual([...algorithmNamed(`${home}-fenced`).mayOverlap!].sort(), forgotten.sort())
  })

  test(`${home}: without a fence less is promised there, and when a machine sleeps`, () => {
    const exceeded = Object.keys(algorithmNamed(`${home}-lease`).exceeded!)
    assert.deepEqual(exceeded.sort(), [...fencesIn(home), 'suspend'].sort())
    const known = new Set<string>(faultKinds.map(({ name }) => name))
    assert.ok(exceeded.every((fault) => known.has(fault)))
  })

  test(`${home}: with a fence nothing that counts is excused`, () => {
    assert.equal(algorithmNamed(`${home}-fenced`).exceeded, undefined)
  })
}

for (const [engine, algorithm] of Object.entries(onEngines)) {
  const { name, home, row, exceeded, mayOverlap, without = [], strangers } = algorithm
  const own = Object.entries(engines).find(([each]) => each === home)?.[1]

  test(`${engine}: ours, with a fence and nothing excused; two may believe where the record is taken away`, () => {
    assert.deepEqual([name, row, exceeded], [`${engine}-fenced`, undefined, undefined])
    const forgotten = home === 'memcached' ? ['foreign', ...fencesIn('memcached')] : ['foreign']
    const said = new Set<string>(forgotten.filter((fault) => !(stopped as readonly string[]).includes(fault)))
    assert.deepEqual(new Set(mayOverlap), said)
  })

  if (own === undefined) continue
  test(`${engine}: what is drawn for it, it can suffer`, () => {
    assert.deepEqual([...(strangers ?? ['delete', 'set', 'touch'])].sort(), Object.keys(own.strangers).sort())
    assert.equal(own.flush !== undefined, !without.includes('flush'))
    assert.equal(own.full !== undefined, !without.includes('full'))
    assert.ok(without.includes('evict') && without.includes('retry'))
  })
}
