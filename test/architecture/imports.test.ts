/** The tree is the architecture: folders import each other along the edges of the table, through their doors. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { test } from 'node:test'
import { projectRoot } from '../support/root.js'
import { layers } from './layers.js'
import { violationsIn } from './rules.js'

const src = join(projectRoot, 'src')
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.split(sep).join('/'))

test('every file of src keeps to the table', () => {
  assert.ok(files.length > 5, 'src was not found')
  const violations = files.flatMap((file) => violationsIn(file, readFileSync(join(src, file), 'utf8')))
  assert.deepEqual(violations, [])
})

test('the subpaths of the package are the doors of folders', () => {
  const { exports } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
  const subpaths = Object.keys(exports).filter((subpath) => subpath !== '.' && subpath !== './package.json')
  assert.equal(exports['.'], './dist/index.js')
  assert.ok(subpaths.length > 0)
  for (const subpath of subpaths) {
    const [, folder = ''] = /^\.\/dist\/(.+)\/index\.js$/.exec(exports[subpath]) ?? []
    assert.ok(`./${folder}`.endsWith(subpath.slice('.'.length)), `${subpath} is not called as its folder, ${folder}`)
    assert.ok(folder in layers, `${subpath} is no folder of the table`)
    assert.ok(existsSync(join(src, folder, 'index.ts')), `${subpath} has no index.ts`)
  }
})

const samples: [name: string, file: string, source: string, wrong?: RegExp][] = [
  ['its own folder', 'store/table.ts', `import { Bytes } from './bytes.js'`],
  ['a package', 'cli/serve.ts', `import { Command } from 'commander'`],
  ['a door', 'server/execute.ts', `import { Store } from '../store/index.js'`],
  ['a sub-folder', 'locks/a/b.ts', `import { Lock } from '../lock.js'`],
  ['no edge', 'store/table.ts', `import { parse } from '../protocol/index.js'`, /store may not import protocol/],
  ['against the edge', 'protocol/text.ts', `export * from '../server/index.js'`, /protocol may not import server/],
  ['behind the door', 'server/execute.ts', `import { x } from '../store/table.js'`, /behind the door/],
  ['types behind the door', 'server/a.ts', `import type { X } from '../store/types.js'`, /behind the door/],
  ['a type query', 'store/a.ts', `type X = import('../server/index.js').Y`, /store may not import server/],
  ['a dynamic import', 'store/a.ts', `await import('../server/index.js')`, /store may not import server/],
  ['a worker', 'store/a.ts', `new URL('../server/worker.js', import.meta.url)`, /store may not import server/],
  ['no extension', 'store/a.ts', `import './table'`, /does not end in \.js/],
  ['outside', 'store/a.ts', `import '../../test/x.js'`, /leaves src/],
  ['by its own name', 'cli/serve.ts', `import { serve } from 'latchkey/server'`, /relative path/],
  ['around the folders', 'cli/serve.ts', `import { x } from '#dist/store/table.js'`, /for tests/],
  ['the whole package', 'server/a.ts', `import { x } from '../index.js'`, /above the folders/],
  ['a new folder', 'utils/a.ts', '', /not in the table/],
  ['into a new folder', 'cli/a.ts', `import '../utils/a.js'`, /in no folder of the table/],
  ['values for the console', 'console/a.ts', `import { serve } from '../server/index.js'`, /more than types/],
  ['types for the console', 'console/a.ts', `import type { Metrics } from '../server/index.js'`],
  ['types for who observes', 'observe/a/b.ts', `import type { LockEvent } from '../../locks/index.js'`],
  ['values for who observes', 'observe/a.ts', `import { createLocks } from '../locks/index.js'`, /more than types/],
  ['the core of locks', 'locks/lock.ts', `import { Client } from '../client/index.js'`, /may not import client/],
  ['a driver of locks', 'locks/drivers/memcached.ts', `import { Client } from '../../client/index.js'`],
  ['a driver and the core', 'locks/drivers/store.ts', `import type { LockDriver } from '../driver.js'`],
  ['the door of locks', 'locks/index.ts', `export * from './drivers/index.js'`],
  ['the core and a driver', 'locks/lock.ts', `import { store } from './drivers/index.js'`, /may not import locks/],
]

for (const [name, file, source, wrong] of samples)
  test(`sample: ${name}`, () => {
    const violations = violationsIn(file, source)
    assert.equal(violations.length, wrong === undefined ? 0 : 1, violations.join('\n'))
    if (wrong !== undefined) assert.match(violations[0], wrong)
  })
