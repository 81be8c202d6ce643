/** The few requests of ZooKeeper that locks are made of. They reject as `Session.request` does. */
import { ZooKeeperError } from './errors.js'
import type { Session } from './session.js'
import { type Reader, readStat, type Stat, Writer } from './wire.js'

const DELETE = 2
const EXISTS = 3
const GET_DATA = 4
const SET_DATA = 5
const GET_CHILDREN = 8
const SYNC = 9
const CHECK = 13
const MULTI = 14
const CREATE = 15
const CREATE_CONTAINER = 19
const ERROR = -1
/** Of an operation that was not tried, since another of the same transaction failed. */
const NOT_TRIED = -2

const ALL_PERMISSIONS = 31

/** What becomes of a node: it stays; it goes with its session, or with its last child. */
const FLAGS = { lasting: 0, ephemeral: 1, numbered: 3, container: 4 } as const

export interface NewNode {
  readonly path: string
  readonly data: string
  /** `numbered`: ephemeral, with a number after its name that only rises. */
  readonly kind: keyof typeof FLAGS
  /** For the accounts of this session only. */
  readonly isOurs: boolean
}

export interface Created {
  readonly path: string
  readonly stat: Stat
}

/** What is done to one node. */
export interface Operation {
  readonly type: number
  readonly body: Writer
}

/** With -1 for `version`, any. */
export const operations = {
  create: (node: NewNode): Operation => ({
    type: node.kind === 'container' ? CREATE_CONTAINER : CREATE,
    body: creation(node),
  }),
  remove: (path: string, version: number): Operation => ({ type: DELETE, body: at(path, version) }),
  set: (path: string, data: string, version: number): Operation => ({
    type: SET_DATA,
    body: new Writer().bytes(path).bytes(data).int(version),
  }),
  check: (path: string, version: number): Operation => ({ type: CHECK, body: at(path, version) }),
}

export async function create(session: Session, node: NewNode, deadlineMs: number): Promise<Created> {
  const reader = await ask(session, operations.create(node), deadlineMs)
  return { path: reader.text(), stat: readStat(reader) }
}

export async function remove(session: Session, path: string, version: number, deadlineMs: number): Promise<void> {
  await ask(session, operations.remove(path, version), deadlineMs)
}

export async function set(session: Session, path: string, data: string, deadlineMs: number): Promise<Stat> {
  return readStat(await ask(session, operations.set(path, data, -1), deadlineMs))
}

/** All of them, or none. */
export async function transact(session: Session, all: readonly Operation[], deadlineMs: number): Promise<void> {
  const parts = new Writer()
  for (const { type, body } of all) parts.int(type).bool(false).int(ERROR).all(body)
  const end = new Writer().int(ERROR).bool(true).int(ERROR)
  throwIfFailed(await session.request(MULTI, parts.all(end), deadlineMs))
}

export async function read(session: Session, path: string, deadlineMs: number): Promise<{ data: Buffer; stat: Stat }> {
  const reader = await session.request(GET_DATA, new Writer().bytes(path).bool(false), deadlineMs)
  return { data: reader.bytes(), stat: readStat(reader) }
}

export async function children(session: Session, path: string, deadlineMs: number): Promise<string[]> {
  const reader = await session.request(GET_CHILDREN, new Writer().bytes(path).bool(false), deadlineMs)
  return reader.list(() => reader.text())
}

/** Sets a watch on it as well. */
export async function expect(session: Session, path: string, deadlineMs: number): Promise<void> {
  await session.request(EXISTS, new Writer().bytes(path).bool(true), deadlineMs)
}

/** What is read after this on the same session is as new as what anybody has been told before. */
export async function sync(session: Session, path: string, deadlineMs: number): Promise<void> {
  await session.request(SYNC, new Writer().bytes(path), deadlineMs)
}

function creation({ path, data, kind, isOurs }: NewNode): Writer {
  const [scheme, who] = isOurs ? ['auth', ''] : ['world', 'anyone']
  const acl = new Writer().int(1).int(ALL_PERMISSIONS).bytes(scheme).bytes(who)
  return new Writer().bytes(path).bytes(data).all(acl).int(FLAGS[kind])
}

function at(path: string, version: number): Writer {
  return new Writer().bytes(path).int(version)
}

function ask(session: Session, { type, body }: Operation, deadlineMs: number): Promise<Reader> {
  return session.request(type, body, deadlineMs)
}

/** Then each part has an error, and those before and after the one that failed have none of their own. */
function throwIfFailed(reader: Reader): void {
  for (let type = reader.int(); type === ERROR; type = reader.int()) {
    const isEnd = reader.bool()
    reader.int()
    if (isEnd) return
    const code = reader.int()
    if (code !== 0 && code !== NOT_TRIED) throw new ZooKeeperError(code)
  }
}
