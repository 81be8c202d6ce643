/**
 * Real clients of other people against Latchkey, each with the operations that its users use. Their scripts are in
 * `clients`; each prints a PASS or FAIL line for everything that it checks.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { requireWorking } from '../support/peers.js'
import { Wire } from '../support/wire.js'
import { type Done, installed, restarted, run, runScript, scripts, together } from './clients/scripts.js'
import { type Servers, start, startServers } from './clients/servers.js'

let servers: Servers

before(async () => {
  servers = await startServers()
})

after(() => servers[Symbol.asyncDispose]())

// Most of their time they wait: for the end of a TTL, or for one another.
suite('scripts', { concurrency: 6 }, () => {
  for (const script of scripts)
    test(`${script.runtime.language}: ${script.name}, ${script.protocol}`, async (t) => {
      if (installed(t, script)) allPass(await runScript(script, servers.given).done, script.checks)
    })
})

test('all of them at once on one server: own keys, one counter, one lock', async (t) => {
  if (!together.every((script) => installed(t, script))) return
  const [host, port] = servers.given.servers[0].split(':')
  const wire = await Wire.open({ host, port: Number(port) })
  for (const name of ['counter', 'inside']) {
    await wire.send(`set together.${name} 0 0 1\r\n0\r\n`)
    await wire.expect('STORED\r\n')
  }
  const done = await Promise.all(together.map((script) => runScript(script, servers.given).done))
  for (const one of done) allPass(one, 2)
  const raised = done.map(({ said }) => Number(/^RAISED (\d+)$/m.exec(said)![1]))
  await wire.send('incr together.counter 0\r\n')
  await wire.expect(`${raised.reduce((sum, one) => sum + one)}\r\n`)
  wire.close()
})

test('a server that stops, and starts again on its port', async (t) => {
  if (!restarted.every((script) => installed(t, script))) return
  const first = await start(2)
  const given = { ...servers.given, servers: [`${first.host}:${first.port}`] }
  const running = restarted.map((script) => runScript(script, given))
  await Promise.all(running.map((one) => one.asksFor('stop')))
  await first.stop()
  for (const one of running) one.goOn()
  await Promise.all(running.map((one) => one.asksFor('start')))
  const second = await start(2, first.port)
  for (const one of running) one.goOn()
  for (const [i, one] of running.entries()) allPass(await one.done, restarted[i].checks)
  await second.stop()
})

test('memccapable: all that libmemcached asks of a server, ASCII and binary', async (t) => {
  if (!requireWorking(t, 'sh', ['-c', 'command -v memccapable'], 'apt install libmemcached-tools')) return
  // It flushes the server, so it has one of its own.
  const server = await start(4)
  const done = await run('memccapable', ['-h', server.host, '-p', `${server.port}`]).done
  await server.stop()
  const results = done.lines.filter((line) => /^(ascii|binary) /.test(line))
  const passed = results.filter((line) => line.endsWith('[pass]'))
  assert.deepEqual([passed.length, results.length, done.code], [54, 54, 0], done.said + server.stderr())
})

function allPass({ code, lines, said }: Done, checks: number): void {
  const context = `${said}\n${servers.said()}`
  const failed = lines.filter((line) => line.startsWith('FAIL'))
  assert.deepEqual(failed, [], context)
  assert.equal(lines.filter((line) => line.startsWith('PASS')).length, checks, context)
  assert.equal(code, 0, context)
}
