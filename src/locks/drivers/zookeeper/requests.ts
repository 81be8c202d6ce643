/** The few requests of ZooKeeper that locks are made of. They reject as `Session.request` does. */
import { type Session, ZooKeeperError } from './session.js'
import { type Reader, readStat, type Stat, Writer } from './wire.js'

const DELETE = 2
const EXISTS = 3
const GET_DATA = 4
const SYNC = 9
const GET_CHILDREN = 8
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

export async function create(session: Session, node: NewNode, deadlineMs: number): Promise<Created> {
  const type = node.kind === 'container' ? CREATE_CONTAINER : CREATE
  return created(await session.request(type, creation(node), deadlineMs))
}

export async function remove(session: Session, path: string, version: number, deadlineMs: number): Promise<void> {
  await session.request(DELETE, deletion(path, version), deadlineMs)
}

/** One goes as the other comes, or neither. */
export async function replace(
  session: Session,
  old: { path: string; version: number },
  node: NewNode,
  deadlineMs: number,
): Promise<void> {
  const end = new Writer().int(ERROR).bool(true).int(ERROR)
  const parts = part(DELETE).all(deletion(old.path, old.version)).all(part(CREATE)).all(creation(node)).all(end)
  throwIfFailed(await session.request(MULTI, parts, deadlineMs))
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

function deletion(path: string, version: number): Writer {
  return new Writer().bytes(path).int(version)
}

function created(reader: Reader): Created {
  return { path: reader.text(), stat: readStat(reader) }
}

function part(type: number): Writer {
  return new Writer().int(type).bool(false).int(ERROR)
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
