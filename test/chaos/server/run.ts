/** A server in a process of its own under some 200 connections and random faults, its threads and its clients dying now and then. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'latchkey/client'
import { type ConnectionFault, FaultProxy } from 'latchkey/torture'
import { drawScenario } from '../../client/faults/scenario.js'
import { Random } from '../../fuzz/random.js'
import { eventually } from '../../support/eventually.js'
import { EvictionWatch, WATCHES } from './eviction-watch.js'
import { countKeys, descriptors, median, residentMib, statsOf } from './gauge.js'
import { CLIENTS, Group } from './group.js'
import { accountFor } from './losses.js'
import { type Address, behave, type StrangerFigures, strangers } from './strangers.js'

export interface ServerPlan {
  readonly seconds: number
  readonly seed: number
  readonly progress?: (seconds: number) => void
}

export interface ServerFigures {
  seconds: number
  connections: number
  /** All that the server has taken. */
  connectionsTaken: number
  threadDeaths: number
  clientProcessDeaths: number
  answered: number
  /** Operations that failed, and were never sent, or may have been done. */
  unsent: number
  unknown: number
  pipelined: number
  histories: number
  /** Items that must have vanished for all histories to be true. */
  vanished: number
  /** Of these, those whose eviction the server told of. */
  vanishedAndTold: number
  evictions: number
  evictionsHeard: number
  repairs: number
  repairDropped: number
  /** Resident memory in MiB: medians of the second and of the last quarter of the time. */
  residentMib: [number, number]
  /** Before the first client came, and after the last one left. */
  descriptors: [number, number]
  items: number
  faults: string[]
}

const THREADS = 2
const GROUPS = 20
const PROXIES = 4
const STRANGERS = { deaf: 15, silent: 15, hasty: 15, pipeliner: 20 } as const
const DOOMED_CLIENTS = 15
const CONNECTIONS = GROUPS * CLIENTS + 80
const KILL_MS = 2000
const SAMPLE_MS = 500
const OPTIONS = { memory: '3mb', itemMax: 262_144, threads: THREADS }

interface Deaths {
  readonly threadsMs: number[]
  clients: number
}

/** All that goes on at once, and what is known of it. */
interface Scene {
  readonly plan: ServerPlan
  readonly child: ChildProcess
  readonly server: Address
  readonly random: Random
  readonly proxies: readonly FaultProxy[]
  readonly groups: readonly Group[]
  readonly strange: StrangerFigures
  readonly deaths: Deaths
  /** Samples of resident memory. */
  readonly residentMib: number[]
}

export async function playServer(plan: ServerPlan): Promise<ServerFigures> {
  const random = new Random(plan.seed)
  const { child, server } = await startServer()
  // What the first connection brings along stays.
  await statsOf(server)
  await sleep(SAMPLE_MS)
  const before = descriptors(child.pid!)
  const proxies = await Promise.all(Array.from({ length: PROXIES }, () => faultyProxy(server, random)))
  const sound = createClient({ servers: `${server.host}:${server.port}` })
  const groups = Array.from({ length: GROUPS }, (_, i) => new Group(`g${i}`, proxies, sound, random))
  const strange: StrangerFigures = { pipelined: 0, opened: 0, faults: [] }
  const deaths: Deaths = { threadsMs: [], clients: 0 }
  const scene: Scene = { plan, child, server, random, proxies, groups, strange, deaths, residentMib: [] }
  const leave = async () => {
    await sound.close()
    await Promise.all(proxies.map((proxy) => proxy.stop()))
  }
  try {
    const watch = await EvictionWatch.start(server)
    await load(scene)
    await leave()
    if (child.exitCode !== null) throw new Error(`the server has ended with ${child.exitCode}`)
    const quiet = await quietDown(server, child.pid!, before)
    await watch.stop()
    return figuresOf(scene, watch, await statsOf(server), before, quiet)
  } finally {
    await leave()
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  }
}

/** Everything at once, for the time of the plan. */
async function load({ plan, child, server, random, proxies, groups, strange, deaths, residentMib: samples }: Scene) {
  const { seconds, progress } = plan
  const endsAt = performance.now() + seconds * 1000
  const isOver = () => performance.now() > endsAt || child.exitCode !== null
  await Promise.all([
    ...groups.map((group) => group.run(isOver)),
    ...strangersFor(server, proxies).map(([name, address]) =>
      behave(strangers[name]!, address, random, strange, isOver),
    ),
    every(KILL_MS, isOver, () => {
      // At first all live, so that every eviction is told.
      if (performance.now() < endsAt - (seconds * 1000) / 3) return
      child.send(random.below(THREADS))
      deaths.threadsMs.push(performance.now())
    }),
    doomClients(server, isOver, deaths),
    every(SAMPLE_MS, isOver, () => {
      samples.push(residentMib(child.pid!))
      progress?.(seconds - Math.round((endsAt - performance.now()) / 1000))
    }),
  ])
}

function figuresOf(
  { plan, groups, strange, deaths, residentMib: samples }: Scene,
  watch: EvictionWatch,
  stats: Record<string, number>,
  before: number,
  quiet: Quiet,
): ServerFigures {
  const told = groups.map(({ figures }) => figures)
  const sum = (of: 'answered' | 'unsent' | 'unknown' | 'histories') => told.reduce((total, one) => total + one[of], 0)
  const vanished = told.flatMap((one) => one.vanished)
  const losses = accountFor(vanished, watch, { deathsMs: deaths.threadsMs, stats })
  const quarter = Math.floor(samples.length / 4)
  return {
    seconds: plan.seconds,
    connections: CONNECTIONS,
    connectionsTaken: stats.total_connections!,
    threadDeaths: deaths.threadsMs.length,
    clientProcessDeaths: deaths.clients,
    answered: sum('answered'),
    unsent: sum('unsent'),
    unknown: sum('unknown'),
    pipelined: strange.pipelined,
    histories: sum('histories'),
    vanished: losses.all,
    vanishedAndTold: losses.told,
    evictions: stats.evictions!,
    evictionsHeard: watch.heard,
    repairs: stats.repairs!,
    repairDropped: stats.repair_dropped!,
    residentMib: [median(samples.slice(quarter, 2 * quarter)), median(samples.slice(3 * quarter))],
    descriptors: [before, quiet.descriptors],
    items: quiet.items,
    faults: [...told.flatMap((one) => one.faults), ...strange.faults, ...quiet.faults, ...losses.faults],
  }
}

async function startServer(): Promise<{ child: ChildProcess; server: Address }> {
  const main = join(import.meta.dirname, '../../server/mortal-server.js')
  const child = fork(main, [JSON.stringify(OPTIONS)], { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] })
  const orphan = () => void child.kill('SIGKILL')
  process.once('exit', orphan)
  child.once('exit', () => process.removeListener('exit', orphan))
  child.stderr?.on('data', (text) => void (String(text).includes('; starting another') || process.stderr.write(text)))
  const [port] = (await once(child, 'message')) as [number]
  return { child, server: { host: '127.0.0.1', port } }
}

/** Most connections are sound; bytes are never changed on their way, but may come late, in pieces, or not at all. */
async function faultyProxy(server: Address, random: Random): Promise<FaultProxy> {
  const proxy = await FaultProxy.start(server)
  proxy.plan = () => (random.chance(75) ? {} : drawFault(random))
  return proxy
}

function drawFault(random: Random): ConnectionFault {
  for (;;) {
    const scenario = drawScenario(random)
    if (!scenario.garbled) return scenario.plan(0)
  }
}

/** Every other one comes through a proxy. */
function strangersFor(server: Address, proxies: readonly FaultProxy[]): [string, Address][] {
  return Object.entries(STRANGERS).flatMap(([name, count]) =>
    Array.from({ length: count }, (_, i): [string, Address] => [
      name,
      i % 2 === 0 ? server : behind(proxies[i % PROXIES]!),
    ]),
  )
}

function behind({ host, port }: FaultProxy): Address {
  return { host, port, isFaulty: true }
}

async function every(intervalMs: number, isOver: () => boolean, act: () => void): Promise<void> {
  for (;;) {
    for (let waited = 0; waited < intervalMs; waited += 100) {
      await sleep(100)
      if (isOver()) return
    }
    act()
  }
}

async function doomClients(server: Address, isOver: () => boolean, deaths: Deaths): Promise<void> {
  const file = join(import.meta.dirname, 'doomed-clients.js')
  while (!isOver()) {
    const child = fork(file, [server.host, String(server.port), String(DOOMED_CLIENTS)])
    for (let waited = 0; waited < 2500 && !isOver(); waited += 100) await sleep(100)
    child.kill('SIGKILL')
    await once(child, 'exit')
    deaths.clients++
  }
}

interface Quiet {
  descriptors: number
  items: number
  faults: string[]
}

/** When all have left, what the server says of itself must be so. */
async function quietDown(server: Address, pid: number, before: number): Promise<Quiet> {
  const faults: string[] = []
  const check = async (what: string, ask: () => Promise<boolean>) => {
    await eventually(what, ask).catch((error) => void faults.push(String(error)))
  }
  // Besides those that watch for evictions there is the one that asks.
  await check('curr_connections goes back', async () => (await statsOf(server)).curr_connections === WATCHES + 1)
  let after = 0
  await check(`descriptors go back to ${before}`, async () => {
    after = descriptors(pid) - WATCHES
    return after <= before
  })
  let items = 0
  await check('curr_items is what can be listed', async () => {
    items = await countKeys(server)
    return (await statsOf(server)).curr_items === items
  })
  return { descriptors: after, items, faults }
}
