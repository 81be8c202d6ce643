/**
 * Servers that are killed at any moment and started again at once, while clients hold locks on them: nobody else may get
 * a lock that somebody still believes to hold, and no fence goes back.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '../store/random.js'
import { opcodes, set, takeResponse } from '../support/binary.js'
import { chosenSeed } from '../support/seed.js'
import { Wire } from '../support/wire.js'

/** Longer than a start takes: what is believed before it must still be believed after it. */
const LEASE_MS = 900
/** The server counts whole milliseconds, and may so end a lease one early. */
const TICK_MS = 1
/** Servers side by side, each killed so many times. */
const SERVERS = 5
const KILLS = Math.ceil(Number(process.env.LATCHKEY_KILLS ?? 100) / SERVERS)
const CLIENTS = 3
const KEYS = ['latchkey:lock:a', 'latchkey:lock:b']

class Mortal {
  host = '127.0.0.1'
  port = 0
  kills = 0
  #child: ChildProcess | undefined

  constructor(
    readonly dir: string,
    readonly options: object = { stateDir: dir, maxLeaseMs: LEASE_MS + 100 },
  ) {}

  async start(): Promise<void> {
    const main = join(import.meta.dirname, 'mortal-server.js')
    this.#child = fork(main, [JSON.stringify(this.options)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const [port] = await Promise.race([
      once(this.#child, 'message'),
      once(this.#child, 'exit').then(() => assert.fail('it does not start')),
    ])
    this.port = port
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const gone = once(this.#child!, 'exit')
    this.#child!.kill(signal)
    await gone
    if (signal === 'SIGKILL') this.kills++
  }
}

/** Who believes to hold which lock, and until when. */
class Beliefs {
  readonly #until = new Map<string, { client: number; ms: number }>()
  readonly #fences = new Map<string, bigint>()
  readonly wrong: string[] = []
  /** Also by who only asks once after each start. */
  granted = 0
  won = 0
  extended = 0
  refused = 0

  believe(key: string, client: number, untilMs: number, fence: bigint): void {
    const other = this.#until.get(key)
    const nowMs = performance.now()
    if (other !== undefined && other.client !== client && other.ms > nowMs)
      this.wrong.push(`${client} got ${key}, which ${other.client} holds for ${other.ms - nowMs} ms`)
    const before = this.#fences.get(key) ?? 0n
    if (fence <= before) this.wrong.push(`${key}: fence ${fence} after ${before}`)
    this.#fences.set(key, fence)
    this.granted++
    this.#until.set(key, { client, ms: untilMs })
  }

  get areSome(): boolean {
    const nowMs = performance.now()
    return [...this.#until.values()].some(({ ms }) => ms > nowMs)
  }

  forget(key: string, client: number): void {
    if (this.#until.get(key)?.client === client) this.#until.delete(key)
  }
}

class Client {
  readonly #server: Mortal
  readonly #beliefs: Beliefs
  readonly #id: number
  readonly #random: Random
  #wire: Wire | undefined
  #port = 0
  stopping = false

  constructor(server: Mortal, beliefs: Beliefs, id: number, random: Random) {
    this.#server = server
    this.#beliefs = beliefs
    this.#id = id
    this.#random = random
  }

  async run(): Promise<void> {
    while (!this.stopping) {
      const key = this.#random.pick(KEYS)
      const won = await this.#swap(key, 'ME')
      if (won === undefined) await sleep(5 + this.#random.below(20))
      else await this.#hold(key, won)
    }
    this.close()
  }

  close(): void {
    this.#wire?.close()
  }

  /** Asks for every lock once. What it gets it keeps until the lease is over. */
  async tryAll(): Promise<void> {
    for (const key of KEYS) await this.#swap(key, 'ME')
  }

  /** Renews a few times, then releases, or is as good as dead. */
  async #hold(key: string, won: bigint): Promise<void> {
    this.#beliefs.won++
    let token: bigint | undefined = won
    for (let renewals = this.#random.below(4); renewals > 0; renewals--) {
      await sleep(LEASE_MS / 3)
      token = await this.#swap(key, `C${token}`)
      if (token === undefined) return
      this.#beliefs.extended++
    }
    if (this.#random.below(2) === 0) return
    this.#beliefs.forget(key, this.#id)
    await this.#ask(`md ${key} C${token}\r\n`)
  }

  /** The new token, when the lock is ours from now on. Believed from the moment before it was asked for. */
  async #swap(key: string, condition: string): Promise<bigint | undefined> {
    const sentAtMs = performance.now()
    const answer = await this.#ask(`ms ${key} 1 ${condition} p${LEASE_MS} c\r\nx\r\n`)
    if (/^SERVER_ERROR lock grace: \d+ ms left/.test(answer)) this.#beliefs.refused++
    else assert.match(answer, /^(|HD c\d+\r\n|(NS|EX|NF) c0\r\n)$/)
    const token = /^HD c(\d+)/.exec(answer)?.[1]
    if (token === undefined) return undefined
    this.#beliefs.believe(key, this.#id, sentAtMs + LEASE_MS - TICK_MS, BigInt(token))
    return BigInt(token)
  }

  /** The answer, or nothing when the server died before it came. */
  async #ask(request: string): Promise<string> {
    try {
      if (this.#wire === undefined || this.#wire.closed || this.#port !== this.#server.port) {
        this.#wire?.close()
        this.#port = this.#server.port
        this.#wire = await Wire.open(this.#server)
      }
      await this.#wire.send(request)
      const line = (await this.#wire.takeLine()).toString('latin1')
      return line.endsWith('\n') ? line : ''
    } catch {
      return ''
    }
  }
}

/** Waits for any moment at which a lock is held that this start of the server has given. */
async function someHeld(beliefs: Beliefs, before: number, random: Random): Promise<void> {
  while (beliefs.granted === before) await sleep(2)
  await sleep(random.below(LEASE_MS))
  while (!beliefs.areSome) await sleep(2)
}

async function killAgainAndAgain(server: Mortal, beliefs: Beliefs, random: Random): Promise<void> {
  let granted = 0
  while (server.kills < KILLS) {
    await someHeld(beliefs, granted, random)
    await server.end('SIGKILL')
    granted = beliefs.granted
    await server.start()
    const newcomer = new Client(server, beliefs, CLIENTS + server.kills, random)
    await newcomer.tryAll()
    newcomer.close()
  }
  const before = beliefs.won
  // However it was killed, the grace ends by itself.
  while (beliefs.won < before + CLIENTS) await sleep(10)
}

async function torment(seed: number, threads: number): Promise<Beliefs> {
  const random = new Random(seed)
  const stateDir = mkdtempSync(join(tmpdir(), 'latchkey-restart-'))
  const server = new Mortal(stateDir, { stateDir, maxLeaseMs: LEASE_MS + 100, threads })
  const beliefs = new Beliefs()
  await server.start()
  const clients = Array.from({ length: CLIENTS }, (_, id) => new Client(server, beliefs, id, new Random(seed + id + 1)))
  const runs = clients.map((client) => client.run())
  const failed = Promise.all(runs).then(() => new Promise<never>(() => undefined))
  await Promise.race([killAgainAndAgain(server, beliefs, random), failed])
  for (const client of clients) client.stopping = true
  await Promise.all(runs)
  await server.end('SIGTERM')
  assert.deepEqual(readdirSync(server.dir), ['locks.state'], 'sockets of the dead are cleared away')
  rmSync(server.dir, { recursive: true })
  return beliefs
}

test('killed again and again: never two holders, and fences never go back', async (t) => {
  const seed = chosenSeed()
  const all = await Promise.all(
    Array.from({ length: SERVERS }, (_, index) => torment(seed + index * 1000, index === 0 ? 2 : 1)),
  )
  for (const { wrong, won, extended, refused } of all) {
    t.diagnostic(`${KILLS} kills, ${won} won, ${extended} renewed, ${refused} refused in grace`)
    assert.deepEqual(wrong, [], `seed ${seed}`)
  }
  // A busy machine starts them so slowly that some grace is over before anybody asks.
  const sum = (of: (beliefs: Beliefs) => number) => all.reduce((total, beliefs) => total + of(beliefs), 0)
  assert.ok(sum(({ won }) => won) > (SERVERS * KILLS) / 3 && sum(({ extended }) => extended) > 2 * SERVERS)
  assert.ok(sum(({ refused }) => refused) > KILLS, 'the test did what it is for')
})

/** The status, and its words: 134 is 0x86, a passing trouble. */
async function askBinary(server: Mortal, frame: Buffer): Promise<string> {
  const wire = await Wire.open(server)
  await wire.send(frame)
  const answer = await takeResponse(wire)
  wire.close()
  return `${answer?.status}: ${answer?.value}`
}

async function ask(server: Mortal, request: string): Promise<string> {
  const wire = await Wire.open(server)
  await wire.send(request)
  const line = (await wire.takeLine()).toString('latin1')
  wire.close()
  return line.trimEnd()
}

async function stat(server: Mortal, name: string): Promise<string | undefined> {
  const wire = await Wire.open(server)
  await wire.send('stats\r\n')
  const text = (await wire.takeUntil('END\r\n')).toString('latin1')
  wire.close()
  return new RegExp(`^STAT ${name} (.*)\r$`, 'm').exec(text)?.[1]
}

test('after a crash nobody gets a lock while its holder believes in it, and then somebody does', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'latchkey-restart-'))
  const server = new Mortal(dir, { stateDir: dir, maxLeaseMs: 5000 })
  await server.start()
  const sentAtMs = performance.now()
  const first = /^HD c(\d+)$/.exec(await ask(server, 'ms latchkey:lock:a 1 ME p4500 c\r\nx\r\n'))
  await server.end('SIGKILL')
  await server.start()
  let answer: string
  do {
    await sleep(20)
    answer = await ask(server, 'ms latchkey:lock:a 1 ME p4500 c\r\ny\r\n')
  } while (answer.startsWith('SERVER_ERROR lock grace'))
  assert.ok(performance.now() >= sentAtMs + 4500 - TICK_MS)
  assert.ok(BigInt(/^HD c(\d+)$/.exec(answer)![1]!) > BigInt(first![1]!))
  await server.end('SIGTERM')
  rmSync(dir, { recursive: true })
})

test('a clean restart waits only for what is still held', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'latchkey-restart-'))
  const server = new Mortal(dir, { stateDir: dir })
  await server.start()
  assert.equal(await stat(server, 'lock_state'), 'kept')
  const incarnation = await stat(server, 'incarnation')
  assert.match(incarnation ?? '', /^[0-9a-f]{32}$/)
  assert.match(await ask(server, 'ms latchkey:lock:a 1 ME p60000 c\r\nx\r\n'), /^HD c/)
  assert.equal(await ask(server, 'md latchkey:lock:a\r\n'), 'HD')
  await server.end('SIGTERM')

  await server.start()
  assert.equal(await stat(server, 'lock_grace_ms'), '0')
  assert.notEqual(await stat(server, 'incarnation'), incarnation)
  assert.match(await ask(server, 'ms latchkey:lock:a 1 ME p60000 c\r\nx\r\n'), /^HD c/)
  await server.end('SIGTERM')

  await server.start()
  assert.ok(Number(await stat(server, 'lock_grace_ms')) > 0)
  for (const request of ['ms latchkey:lock:a 1 ME\r\nx', 'add latchkey:lock:b 0 0 1\r\nx', 'mg latchkey:lock:c N5'])
    assert.match(await ask(server, `${request}\r\n`), /^SERVER_ERROR lock grace: \d+ ms left$/)
  assert.match(await ask(server, 'ma latchkey:lock:d N5\r\n'), /^SERVER_ERROR lock grace: \d+ ms left$/)
  assert.equal(await ask(server, 'ms latchkey:lock:a 1\r\nx\r\n'), 'HD')
  assert.equal(await ask(server, 'md latchkey:lock:a\r\n'), 'HD')
  assert.match(await askBinary(server, set('latchkey:lock:b', 'x', opcodes.add)), /^134: lock grace: \d+ ms left$/)
  assert.equal(await ask(server, 'add plain 0 0 1\r\nx\r\n'), 'STORED')
  assert.equal(await ask(server, 'add latchkey:lock:b 0 0 1 noreply\r\nx\r\nmn\r\n'), 'MN')
  await server.end('SIGTERM')
  rmSync(dir, { recursive: true })
})

test('on every thread an answer comes after the file that covers it', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'latchkey-restart-'))
  const server = new Mortal(dir, { stateDir: dir })
  await server.start()
  const wires = await Promise.all(Array.from({ length: 8 }, () => Wire.open(server)))
  for (let round = 0; round < 200; round++) {
    const ttlMs = 1000 + ((round * 7919) % 590_000)
    const nowMs = Date.now()
    const wire = wires[round % wires.length]!
    await wire.send(`ms latchkey:lock:${round} 1 ME p${ttlMs}\r\nx\r\n`)
    await wire.expect('HD\r\n')
    const horizon = Number(/^wall (\d+)$/m.exec(readFileSync(join(dir, 'locks.state'), 'latin1'))?.[1])
    assert.ok(horizon >= nowMs + ttlMs, `round ${round}`)
  }
  assert.match(
    await ask(server, 'ms latchkey:lock:long 1 ME p600011\r\nx\r\n'),
    /^CLIENT_ERROR lease longer than 600010 ms: see --max-lease$/,
  )
  for (const wire of wires) wire.close()
  await server.end('SIGTERM')
  rmSync(dir, { recursive: true })
})

test('a state that can no longer be written refuses leases, and only those', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'latchkey-restart-'))
  const server = new Mortal(dir, { stateDir: dir })
  await server.start()
  rmSync(dir, { recursive: true })
  assert.match(
    await ask(server, 'ms latchkey:lock:a 1 ME p60000\r\nx\r\n'),
    /^SERVER_ERROR lock state cannot be written: ENOENT/,
  )
  assert.equal(await ask(server, 'mg latchkey:lock:a\r\n'), 'EN')
  assert.equal(await ask(server, 'set plain 0 60 1\r\nx\r\n'), 'STORED')
  await server.end('SIGTERM')
})
