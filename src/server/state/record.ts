/**
 * The lock state file: what one start of the server tells the next one. Text, a line a field, in this order:
 *
 *   latchkey lock state 1
 *   clean yes                     no lease was given after this was written
 *   wall 1790000000000            horizon, ms of unix time: no lease ends later
 *   boot 3f0e… 8123456            the same on the clock of this boot of the machine, in ms; or `-` where there is none
 *   lease 600000                  no lease lasts longer, in ms
 *   ceiling 881000000000000000    above every CAS token given
 *   sum 5c1f…                     SHA-256 of all above
 */
import { createHash } from 'node:crypto'

export interface StateRecord {
  readonly clean: boolean
  readonly wallMs: number
  readonly boot: BootTime | undefined
  readonly leaseMs: number
  readonly ceiling: bigint
}

/** A moment on a clock that nobody sets, but that begins anew with each boot. */
export interface BootTime {
  readonly id: string
  readonly ms: number
}

const MAGIC = 'latchkey lock state '
const VERSION = 1
const NUMBER = '(\\d{1,15})'
const BODY = new RegExp(
  `^clean (yes|no)\nwall ${NUMBER}\nboot (?:-|([0-9a-f-]{1,64}) ${NUMBER})\nlease ${NUMBER}\nceiling (\\d{1,19})\n$`,
)
const SUM_LENGTH = 'sum \n'.length + 64

const sumOf = (text: string) => createHash('sha256').update(text, 'latin1').digest('hex')

export function encodeState({ clean, wallMs, boot, leaseMs, ceiling }: StateRecord): string {
  const text =
    `${MAGIC}${VERSION}\nclean ${clean ? 'yes' : 'no'}\nwall ${Math.ceil(wallMs)}\n` +
    `boot ${boot === undefined ? '-' : `${boot.id} ${Math.ceil(boot.ms)}`}\n` +
    `lease ${Math.ceil(leaseMs)}\nceiling ${ceiling}\n`
  return `${text}sum ${sumOf(text)}\n`
}

/** The record, or what is wrong with the text. */
export function decodeState(text: string): StateRecord | string {
  if (text === '') return 'it is empty'
  if (!text.startsWith(MAGIC)) return 'it is no lock state of latchkey'
  const head = `${MAGIC}${VERSION}\n`
  const lineEnd = text.indexOf('\n')
  if (lineEnd < 0) return 'it ends too soon'
  if (!text.startsWith(head))
    return `it is of version ${text.slice(MAGIC.length, lineEnd)}, and this server knows ${VERSION}`
  const signed = text.slice(0, -SUM_LENGTH)
  if (text.slice(signed.length) !== `sum ${sumOf(signed)}\n`) return 'it is damaged or cut short: its sum is wrong'
  const fields = BODY.exec(signed.slice(head.length))
  if (fields === null) return 'its fields are not those of this version'
  const [, clean, wall, bootId, bootMs, lease, ceiling] = fields
  return {
    clean: clean === 'yes',
    wallMs: Number(wall),
    boot: bootId === undefined ? undefined : { id: bootId, ms: Number(bootMs) },
    leaseMs: Number(lease),
    ceiling: BigInt(ceiling),
  }
}
