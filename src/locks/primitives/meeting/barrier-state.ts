/** What is written down of a barrier: JSON, arrivals as marks of fixed length. */
import { marksIn } from './arrivals.js'

export interface Arrival {
  /** Of the party's id. */
  readonly party: string
  /** Of this one wait. */
  readonly token: string
}

export interface BarrierState {
  /** Drawn by who wrote the first state: a barrier that was forgotten and begun again has another. */
  readonly epoch: string
  readonly parties: number
  /** How often it has opened. */
  readonly generation: number
  readonly arrived: readonly Arrival[]
  /** The tokens of those for whom it opened last. */
  readonly passed: readonly string[]
}

const VERSION = 1

export function encodeBarrier({ epoch, parties, generation, arrived, passed }: BarrierState): string {
  const marks = arrived.map(({ party, token }) => party + token).join('')
  return JSON.stringify({ v: VERSION, epoch, parties, generation, arrived: marks, passed: passed.join('') })
}

/** undefined for what is none. */
export function decodeBarrier(text: string): BarrierState | undefined {
  try {
    const { v, epoch, parties, generation, arrived, passed } = JSON.parse(text)
    const [marks, tokens] = [marksIn(arrived), marksIn(passed)]
    if (v !== VERSION || typeof epoch !== 'string' || marks === undefined || tokens === undefined) return undefined
    if (!Number.isInteger(parties) || !Number.isInteger(generation) || marks.length % 2 === 1) return undefined
    return { epoch, parties, generation, arrived: pairsOf(marks), passed: tokens }
  } catch {
    return undefined
  }
}

function pairsOf(marks: readonly string[]): Arrival[] {
  return Array.from({ length: marks.length / 2 }, (_, i) => ({ party: marks[2 * i], token: marks[2 * i + 1] }))
}
