/** redlock's documented ways, by the real one on Redis and by ours. */
import { describe, type TestContext, test } from 'node:test'
import { type Kind, kinds } from './kinds.js'
import { cases } from './redlock-cases.js'

describe('the API of redlock', { concurrency: true }, () => {
  for (const kind of kinds) test(kind.name, { concurrency: true }, (t) => runAll(t, kind))
})

async function runAll(t: TestContext, kind: Kind): Promise<void> {
  const setting = await kind.start(t)
  if (setting === undefined) return
  try {
    await Promise.all(cases.map(({ name, run }) => t.test(name, () => run(setting))))
  } finally {
    await setting.stop()
  }
}
