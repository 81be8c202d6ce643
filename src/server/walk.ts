/** `lru_crawler metadump` and `mgdump`: every key, in slices, so that nobody else waits and nothing piles up. */
import { type Output, reply, writeBase64 } from '../protocol/index.js'
import { Bytes, type ItemReader, type ItemView, sizeClassOf, type Table } from '../store/index.js'
import { oneLine } from './refusals.js'
import { escaped, standsForItself } from './uri.js'

const DUMP_END = reply.END
const MG_END = 'EN\r\n'

export class Walk implements ItemReader {
  #cursor = 0
  readonly #key = Bytes.allocate(256)
  readonly #out: Output
  readonly #table: Table
  readonly #asCommands: boolean
  readonly #pinnedOnly: boolean
  readonly #classes: ReadonlySet<number> | undefined
  #nowSeconds = 0

  /**
   * `asCommands` writes `mg <key>` lines (mgdump) in place of a description of each item (metadump). With `classes` only
   * items of these size classes are written.
   */
  constructor(
    table: Table,
    out: Output,
    asCommands: boolean,
    pinnedOnly: boolean,
    classes: ReadonlySet<number> | undefined,
  ) {
    this.#table = table
    this.#out = out
    this.#asCommands = asCommands
    this.#pinnedOnly = pinnedOnly
    this.#classes = classes
  }

  /** Writes one slice. True when that was the last. */
  step(): boolean {
    this.#nowSeconds = Math.floor(Date.now() / 1000)
    const table = this.#table
    try {
      this.#cursor = this.#pinnedOnly ? table.scanPinned(this.#cursor, this) : table.scan(this.#cursor, this)
    } catch (error) {
      this.#out.string(`SERVER_ERROR ${oneLine((error as Error).message)}\r\n`)
      return true
    }
    if (this.#cursor !== 0) return false
    if (this.#asCommands) this.#out.string(MG_END)
    else this.#out.text(DUMP_END)
    return true
  }

  item(view: ItemView): void {
    if (this.#classes !== undefined && !this.#classes.has(sizeClassOf(view.size))) return
    view.copyKey(this.#key, 0)
    if (this.#asCommands) this.#command(view.keyLength)
    else this.#describe(view)
  }

  #command(length: number): void {
    this.#out.string('mg ')
    if (isPlain(this.#key.u8, length)) {
      this.#out.copy(this.#key, 0, length)
    } else {
      writeBase64(this.#out, this.#key.u8, 0, length)
      this.#out.string(' b')
    }
    this.#out.crlf()
  }

  #describe(view: ItemView): void {
    const expires = view.ttlMs < 0 ? -1 : this.#nowSeconds + Math.ceil(view.ttlMs / 1000)
    const accessed = this.#nowSeconds - view.idleSeconds
    this.#out.string('key=')
    for (let i = 0; i < view.keyLength; i++) this.#escaped(this.#key.u8[i])
    const fetched = view.fetched ? 'yes' : 'no'
    this.#out.string(
      ` exp=${expires} la=${accessed} cas=${view.cas} fetch=${fetched} cls=${sizeClassOf(view.size)} size=${view.size} flags=${view.flags}\n`,
    )
  }

  #escaped(byte: number): void {
    if (standsForItself(byte)) this.#out.byte(byte)
    else this.#out.string(escaped(byte))
  }
}

/** Whether a key can stand in a command line as it is. */
function isPlain(u8: Uint8Array, length: number): boolean {
  for (let i = 0; i < length; i++) if (u8[i] <= 32 || u8[i] === 127) return false
  return true
}
