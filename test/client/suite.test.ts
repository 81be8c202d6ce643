/** One suite over every kind of server, one of them and three. Its cases run at once, since some have to wait. */
import { type TestContext, test } from 'node:test'
import { type Client, createClient } from 'latchkey/client'
import type { Case, CaseContext } from './suite/case.js'
import { kinds, type ServerKind, type StartedServer } from './suite/kinds.js'
import { cases } from './suite.js'

const fleetsAtATime = 3
const casesAtATime = 8
/** Far from any case's: a busy machine must not fail one. */
const deadlineMs = 20_000

const fleets = kinds.flatMap((kind) => [1, 3].map((count) => ({ kind, count })))

test('every kind of server', { concurrency: fleetsAtATime }, async (t) => {
  const name = (kind: ServerKind, count: number) => `${kind.name}, ${count === 1 ? 'one server' : `${count} servers`}`
  await Promise.all(fleets.map(({ kind, count }) => t.test(name(kind, count), (fleet) => playAll(fleet, kind, count))))
})

async function playAll(t: TestContext, kind: ServerKind, count: number): Promise<void> {
  const started = await startAll(kind, count, t)
  if (started.length < count) return
  const servers = started.map(({ address }) => address)
  const client = createClient({ servers, deadlineMs, ...kind.options })
  const run = (parent: TestContext, one: Case, number: number) =>
    parent.test(one.name, (own) => play(own, one, number, kind, client, servers))
  try {
    await t.test('together', { concurrency: casesAtATime }, async (together) => {
      await Promise.all(cases.map((one, number) => one.alone !== true && run(together, one, number)))
    })
    for (const [number, one] of cases.entries()) if (one.alone) await run(t, one, number)
  } finally {
    await client.close()
    for (const server of started) await server.stop()
  }
}

async function startAll(kind: ServerKind, count: number, t: TestContext): Promise<StartedServer[]> {
  const servers: StartedServer[] = []
  while (servers.length < count) {
    const server = await kind.start(t)
    if (server === undefined) return []
    servers.push(server)
  }
  return servers
}

async function play(
  t: TestContext,
  { skip, run }: Case,
  number: number,
  kind: ServerKind,
  shared: Client<string>,
  servers: readonly string[],
): Promise<void> {
  const reason = skip?.(kind)
  if (reason) return t.skip(reason)
  const prefix = `case${number}:`
  const created: Client<string>[] = []
  const create: CaseContext['create'] = (options = {}) => {
    const client = createClient({ servers, deadlineMs, keyPrefix: prefix, ...kind.options, ...options })
    created.push(client)
    return client
  }
  try {
    await run({ kind, servers, client: shared.with({ keyPrefix: prefix }), prefix, create })
  } finally {
    for (const client of created) await client.close()
  }
}
