/** The models of the servers answer as the real ones do, to the same random commands, where time does not matter. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Host, type Seat } from '#dist/torture/simulation/servers/host.js'
import { Latchkey } from '#dist/torture/simulation/servers/latchkey.js'
import { Memcached } from '#dist/torture/simulation/servers/memcached.js'
import type { Answer, Request } from '#dist/torture/simulation/servers/request.js'
import { VirtualTime } from '#dist/torture/simulation/virtual-time.js'
import { Random } from '../../store/random.js'
import { requirePeer } from '../../support/peers.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../../support/process.js'
import { chosenSeed } from '../../support/seed.js'
import { Wire } from '../../support/wire.js'

const COMMANDS = 3000
const CONNECTIONS = 4
const KEYS = ['latchkey:lock:a', 'latchkey:lock:b', 'plain', 'counter']
/** Nothing is over within a test. */
const LONG_S = 600
const LONG_MS = LONG_S * 1000

type Command = Omit<Request, 'by'>

/** Tokens by the order in which they came up: two servers count from where they like. */
class Names {
  readonly #seen = new Map<string, number>()
  readonly #tokens: string[] = []

  nameOf(token: string): string {
    if (!this.#seen.has(token)) this.#seen.set(token, this.#tokens.push(token) - 1)
    return `#${this.#seen.get(token)}`
  }

  tokenOf(nth: number): string {
    return this.#tokens[nth] ?? '999999999'
  }

  get count(): number {
    return this.#tokens.length
  }
}

class Play {
  readonly #model: Host
  readonly #answers: Answer[][] = []
  readonly #seats: Seat[]
  readonly #wires: Wire[]
  readonly #ofModel = new Names()
  readonly #ofReal = new Names()
  readonly #open: number[]
  readonly #log: string[] = []

  constructor(model: Host, wires: Wire[]) {
    this.#model = model
    this.#wires = wires
    this.#open = wires.map(() => 0)
    this.#seats = wires.map((_, i) => {
      this.#answers[i] = []
      const answer = (_handle: number, answer: Answer) => void this.#answers[i].push(answer)
      return this.#model.accept({ answer, end: () => undefined })!
    })
  }

  get tokens(): number {
    return this.#ofModel.count
  }

  isWaiting(connection: number): boolean {
    return this.#open[connection] > 0
  }

  /** `C#n` stands for the nth token that came up. */
  async ask(connection: number, command: Command): Promise<void> {
    const { key, value } = command
    this.#log.push(`${connection}: ${command.command} ${key} ${command.flags.join(' ')}`)
    this.#open[connection]++
    const line = `${command.command} ${key}${value === undefined ? '' : ` ${value.length}`}`
    const flags = withTokens(command, this.#ofReal).join(' ')
    const body = value === undefined ? '' : `${value}\r\n`
    await this.#wires[connection].send(`${`${line} ${flags}`.trimEnd()}\r\n${body}`)
    this.#seats[connection].receive({ ...command, flags: withTokens(command, this.#ofModel), by: 0 }, 0)
    await this.#compare()
  }

  /** Whoever is answered by the model is answered by the server, with the same. */
  async #compare(): Promise<void> {
    for (const [connection, answers] of this.#answers.entries()) {
      for (const answer of answers.splice(0)) {
        this.#open[connection]--
        const expected = textOf(answer, this.#ofModel)
        const got = await this.#read(connection)
        assert.equal(got, expected, `connection ${connection}, after\n${this.#log.slice(-12).join('\n')}`)
      }
    }
  }

  /** Those that wait are not answered. */
  async end(): Promise<void> {
    for (const [connection, wire] of this.#wires.entries()) {
      if (this.isWaiting(connection)) assert.equal(wire.peek().length, 0)
      else {
        await wire.send('mn\r\n')
        await wire.expect('MN\r\n')
      }
      wire.close()
    }
  }

  async #read(connection: number): Promise<string> {
    const wire = this.#wires[connection]
    const line = (await wire.takeLine()).toString('latin1').trimEnd()
    const bytes = /^VA (\d+)/.exec(line)
    const text = named(line.replace(/^VA \d+/, 'VA'), this.#ofReal)
    if (bytes === null) return text
    // A counter that has become shorter may be followed by spaces, or not.
    return `${text} ${(await wire.take(Number(bytes[1]) + 2)).toString('latin1').trimEnd()}`
  }
}

function withTokens({ flags }: Command, names: Names): string[] {
  return flags.map((flag) => (flag.startsWith('C#') ? `C${names.tokenOf(Number(flag.slice(2)))}` : flag))
}

function textOf({ status, flags, value }: Answer, names: Names): string {
  const line = named([status, ...flags].join(' '), names)
  return value === undefined ? line : `${line} ${value}`
}

/** How long something has waited, or has left, is a matter of time. */
function named(line: string, names: Names): string {
  const words = line.split(' ').map((word) => {
    if (/^c[1-9]\d*$/.test(word)) return `c${names.nameOf(word.slice(1))}`
    if (/^w\d+$/.test(word)) return 'w'
    return /^p\d+$/.test(word) ? 'p' : word
  })
  return words.join(' ')
}

class Commands {
  readonly #random: Random
  readonly #latchkey: boolean

  constructor(random: Random, latchkey: boolean) {
    this.#random = random
    this.#latchkey = latchkey
  }

  next(tokens: number): Command {
    const random = this.#random
    const key = random.pick(KEYS)
    const command = random.pick(['ms', 'ms', 'mg', 'md', 'ma'] as const)
    // Mostly the last tokens are those that fit.
    const token = () => `C#${Math.max(0, tokens - 1 - random.below(6))}`
    const some = (...flags: string[]) => flags.filter(() => random.below(2) === 0)
    if (command === 'mg') return { command, key, flags: some('v', 'c', ...(this.#latchkey ? ['p'] : [])) }
    if (command === 'md') return { command, key, flags: some(token()) }
    if (command === 'ma')
      return { command, key, flags: some('v', 'c', 'N0', `J${random.below(9)}`, `D${random.below(9)}`) }
    const mode = random.pick([[], ['ME'], [token()]])
    const wait = this.#latchkey && mode[0] === 'ME' ? some(`w${LONG_MS}`) : []
    const value = random.pick(['', 'held', '17', '18446744073709551615'])
    return { command, key, flags: [...mode, ...this.#life(), ...some('c'), ...wait], value }
  }

  #life(): string[] {
    const lives = [[], ['T0'], [`T${LONG_S}`], ['T-1']]
    if (this.#latchkey) lives.push(['p0'], [`p${LONG_MS}`])
    return this.#random.pick(lives)
  }
}

async function compare(server: ServerProcess, model: Host, latchkey: boolean): Promise<void> {
  const seed = chosenSeed()
  const random = new Random(seed)
  const commands = new Commands(random, latchkey)
  const wires = await Promise.all(Array.from({ length: CONNECTIONS }, () => Wire.open(server)))
  const play = new Play(model, wires)
  let asked = 0
  for (let i = 0; i < COMMANDS; i++) {
    const connection = random.below(CONNECTIONS)
    // One at least is there to free what the others wait for.
    const command = connection === 0 ? withoutWait(commands.next(play.tokens)) : commands.next(play.tokens)
    if (play.isWaiting(connection)) continue
    asked++
    await play.ask(connection, command)
  }
  await play.end()
  assert.ok(asked > COMMANDS / 3, `only ${asked} commands`)
}

function withoutWait(command: Command): Command {
  return { ...command, flags: command.flags.filter((flag) => !flag.startsWith('w')) }
}

test('memcached', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt-get install memcached')) return
  const server = await startMemcached()
  t.after(() => server.stop())
  const time = new VirtualTime()
  const options = { startedAtS: 0, uptimeS: 0, phaseMs: 1000, lateMs: 0, pid: 1 }
  const model = new Memcached(time, () => undefined, options)
  await compare(
    server,
    new Host(
      0,
      time,
      () => model,
      () => 0,
    ),
    false,
  )
})

test('Latchkey', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'latchkey-model-'))
  const server = await startLatchkey({ threads: 2, memoryMb: 4, args: ['--state-dir', dir] })
  t.after(async () => {
    await server.stop()
    rmSync(dir, { recursive: true })
  })
  const time = new VirtualTime()
  const model = new Latchkey(time, () => undefined, { token: 1n, horizon: 0 }, '00')
  await compare(
    server,
    new Host(
      0,
      time,
      () => model,
      () => 0,
    ),
    true,
  )
})

test('memcached without memory: what cannot be stored deletes what is there, also by add and by compare-and-swap', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt-get install memcached')) return
  const server = await startMemcached(['-M', '-m', '2'])
  t.after(() => server.stop())
  const time = new VirtualTime()
  const options = { startedAtS: 0, uptimeS: 0, phaseMs: 1000, lateMs: 0, pid: 1 }
  const model = new Memcached(time, () => undefined, options)
  const wire = await Wire.open(server)
  const held = KEYS.map((key) => `ms ${key} 4 T0\r\nheld\r\n`)
  await wire.send(held.join(''))
  await wire.expect('HD\r\n'.repeat(KEYS.length))
  await fill(wire)
  wire.close()
  const play = new Play(
    new Host(
      0,
      time,
      () => model,
      () => 0,
    ),
    [await Wire.open(server)],
  )
  for (const key of KEYS) model.serve({ command: 'ms', key, flags: [], value: 'held', by: 0 }, {}, () => undefined)
  model.full = true
  // One refusal each: what that frees is memory again.
  await play.ask(0, { command: 'ms', key: KEYS[0], flags: ['ME', `T${LONG_S}`, 'c'], value: 'mine' })
  await play.ask(0, { command: 'mg', key: KEYS[0], flags: ['v'] })
  await play.end()
})

/** Until nothing more of this size is taken. */
async function fill(wire: Wire): Promise<void> {
  for (let i = 0; ; i++) {
    await wire.send(`ms filling-${String(i).padStart(7, '0')} 4 T0\r\nfull\r\n`)
    const line = (await wire.takeLine()).toString('latin1')
    if (line.startsWith('SERVER_ERROR out of memory')) return
    assert.equal(line, 'HD\r\n')
  }
}
