/** Calls that are tied to a connection, and connections that are hung up, where the server does not play along. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectionLostError, createClient, InvalidArgumentError, ServerUnavailableError } from 'latchkey/client'
import { FaultProxy, reset } from 'latchkey/torture'
import { startDouble } from '../support/double.js'
import { startLatchkey } from '../support/process.js'

test('when the connection of a session has ended, its calls fail with nothing sent, and a new session is another', async () => {
  const server = await startLatchkey({ threads: 1 })
  const proxy = await FaultProxy.start(server)
  await using client = createClient({ servers: `${proxy.host}:${proxy.port}` })
  try {
    const session = await client.session('k')
    assert.equal(await client.session('k'), session, 'the same as long as it lasts')
    await client.set('k', 'v', { session })
    proxy.cutAll('fin')
    const next = await another(() => client.session('k').catch(() => session), session)
    assert.notEqual(next.id, session.id)
    await assert.rejects(client.set('k', 'w', { session }), { code: 'SESSION_ENDED' })
    await assert.rejects(client.delete('k', { session }), { code: 'SESSION_ENDED' })
    assert.equal(await client.get('k', { session: next }), 'v')
    await assert.rejects(client.get('k', { session: { ...next, server: 'elsewhere:1' } }), InvalidArgumentError)
    await proxy.refuse()
    proxy.cutAll('fin')
    await another(() => client.session('k').catch(() => undefined), next)
    await assert.rejects(client.session('k'), ServerUnavailableError)
  } finally {
    await proxy.stop()
    await server.stop()
  }
})

test('after hanging up, it is known whether the server has ended the connection in order', async () => {
  for (const orderly of [true, false]) {
    const double = await startDouble((socket) => {
      socket.on('data', (text) => {
        if (/version/.test(`${text}`)) socket.write('VERSION 1.6.18\r\nMN\r\n')
      })
      if (!orderly) socket.on('end', () => reset(socket))
    })
    const client = createClient({ servers: `${double.host}:${double.port}` })
    await client.session('k')
    const call = client.get('k')
    await client.session('k')
    void client.hangUp()
    await assert.rejects(call, (error) => error instanceof ConnectionLostError && error.byServer === orderly)
    await double.stop()
  }
})

/** What `ask` gives once it is no longer `old`. */
async function another<R>(ask: () => Promise<R>, old: R): Promise<R> {
  for (let tries = 0; ; tries++) {
    const now = await ask()
    if (now !== old) return now
    assert.ok(tries < 1000, 'it stays the same')
    await sleep(5)
  }
}
