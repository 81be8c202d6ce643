/** How ZooKeeper writes numbers, text and lists: big-endian, lengths in front, -1 for none. */

export class Writer {
  readonly #parts: Buffer[] = []

  int(value: number): this {
    const part = Buffer.alloc(4)
    part.writeInt32BE(value)
    return this.#add(part)
  }

  long(value: bigint): this {
    const part = Buffer.alloc(8)
    part.writeBigInt64BE(value)
    return this.#add(part)
  }

  bool(value: boolean): this {
    return this.#add(Buffer.of(value ? 1 : 0))
  }

  bytes(value: string | Uint8Array): this {
    const part = Buffer.from(value as string)
    return this.int(part.length).#add(part)
  }

  /** What another has written. */
  all(other: Writer): this {
    return this.#add(other.take())
  }

  take(): Buffer {
    return Buffer.concat(this.#parts)
  }

  #add(part: Buffer): this {
    this.#parts.push(part)
    return this
  }
}

/** Throws RangeError where there is less than is asked for. */
export class Reader {
  readonly #from: Buffer
  #at = 0

  constructor(from: Buffer) {
    this.#from = from
  }

  int(): number {
    this.#at += 4
    return this.#from.readInt32BE(this.#at - 4)
  }

  long(): bigint {
    this.#at += 8
    return this.#from.readBigInt64BE(this.#at - 8)
  }

  bool(): boolean {
    return this.#from.readInt8(this.#at++) !== 0
  }

  bytes(): Buffer {
    const length = Math.max(0, this.int())
    if (this.#at + length > this.#from.length) throw new RangeError('a length beyond the end')
    this.#at += length
    return this.#from.subarray(this.#at - length, this.#at)
  }

  text(): string {
    return this.bytes().toString()
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int()) }, read)
  }
}

/** What is known of a node. */
export interface Stat {
  /** The transaction that created it; greater than that of every one before. */
  readonly czxid: bigint
  /** When its data was set last, by the clock of the leader: Unix milliseconds. */
  readonly mtime: number
  /** How often its data was set since. */
  readonly version: number
}

export function readStat(reader: Reader): Stat {
  const czxid = reader.long()
  // mzxid, ctime
  for (let i = 0; i < 2; i++) reader.long()
  const mtime = Number(reader.long())
  const version = reader.int()
  // cversion, aversion; ephemeralOwner; dataLength, numChildren; pzxid
  for (let i = 0; i < 2; i++) reader.int()
  reader.long()
  for (let i = 0; i < 2; i++) reader.int()
  reader.long()
  return { czxid, mtime, version }
}
