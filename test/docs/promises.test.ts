/** docs/LOCKS.md names a test for each promise: those tests are there, and no letter leads nowhere. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { projectRoot } from '../support/root.js'

const page = readFileSync(join(projectRoot, 'docs/LOCKS.md'), 'utf8')
const [promises, list] = page.split('## The tests')
const tests = Array.from(list.matchAll(/^\| (\w+) \| `([^`]+)`: (.+) \|$/gm), ([, letter, file, title]) => ({
  letter,
  file,
  title,
}))

for (const { letter, file, title } of tests) {
  test(`${letter} is there: ${title}`, () => {
    const source = readFileSync(join(projectRoot, file), 'utf8')
    assert.ok(source.includes(title), `${file} has no test of that name`)
  })
}

test('every letter is in the list, and every test of the list is referred to', () => {
  const referred = new Set(Array.from(promises.matchAll(/\[([a-z]\d)\]/g), ([, letter]) => letter))
  assert.deepEqual([...referred].sort(), tests.map(({ letter }) => letter).sort())
})

test('no fault goes without a test', () => {
  const [table] = promises.slice(promises.indexOf('| fault |')).split('\n\n')
  const rows = Array.from(table.matchAll(/^\| (?!fault|---)(.+) \|$/gm), ([, row]) => row.split(' | '))
  assert.ok(rows.length >= 16)
  for (const [fault, ...cells] of rows) {
    assert.equal(cells.length, 4, fault)
    for (const cell of cells) assert.match(cell, /\[[a-z]\d\]|^—$|^no queue/, `${fault}: ${cell}`)
  }
})

test('no engine goes without a test', () => {
  const [table] = promises.slice(promises.indexOf('| engine |')).split('\n\n')
  const rows = Array.from(table.matchAll(/^\| (?!engine|---)(.+) \|$/gm), ([, row]) => row.split(' | '))
  assert.ok(rows.length >= 1)
  for (const [engine, ...cells] of rows) {
    assert.equal(cells.length, 10, engine)
    for (const cell of cells) assert.match(cell, /\[[a-z]\d\]|^—$/, `${engine}: ${cell}`)
  }
})
