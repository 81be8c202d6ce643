/** The commands of the model tests, as fast-check makes them. */
import fc from 'fast-check'
import { WriteMode } from 'latchkey/store'

/** Which token a command compares with: none, the item's own, one below it, or one far above. */
export type Comparison = 'none' | 'own' | 'older' | 'newer'

export const KEYS = ['a', 'beta', 'latchkey:lock:x', `long-${'k'.repeat(245)}`, 'epsilon', '漢字']

const key = fc.constantFrom(...KEYS)
const ttlMs = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 3000 }) },
  fc.constantFrom(-1, 0.5, 2 ** 40),
)
/** Short, of some pages, large, or too large for the item limit of 64 KiB. */
const length = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 60 }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 14_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 30_000, max: 66_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 4040, max: 4110 }) },
)
const text = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(length, fc.constantFrom(...'xyz0')).map(([count, letter]) => letter.repeat(count)),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.constantFrom('0', '9', '99', '10 ', '007', '18446744073709551615', '18446744073709551616', ' 1', ''),
      fc.constantFrom(
        '+5',
        '-5',
        '-18446744073709551615',
        '5\0x',
        '5 x',
        '18446744073709551615 -',
        `0${' '.repeat(20)}`,
      ),
      fc.constantFrom(`${'0'.repeat(300)}7`, `\t\r${' '.repeat(4100)}8\n`, '   ', '9-', '0-0'),
    ),
  },
)
const flags = fc.constantFrom(0, 0, 1, 0xffffffff)
const compare = fc.constantFrom<Comparison>('none', 'none', 'none', 'own', 'own', 'older', 'newer')
const newCas = fc.oneof(
  { weight: 9, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.bigInt(1n, 2n ** 64n - 1n) },
)
const rarely = fc.constantFrom(false, false, false, true)
const fence = fc.constantFrom(undefined, undefined, undefined, 0n, 7n, 8n, 2n ** 64n - 1n)
const delta = fc.oneof(fc.bigInt(0n, 20n), fc.bigInt(0n, 2n ** 64n - 1n))

const read = fc.record({
  kind: fc.constant('read' as const),
  key,
  touch: rarely,
  ttlMs,
  vivify: rarely,
  vivifyTtlMs: ttlMs,
  mayWin: fc.boolean(),
  recache: rarely,
  recacheMs: fc.constantFrom(0, 500, 5000),
  recacheFirst: fc.boolean(),
  newCas,
  noBump: rarely,
  peek: fc.constant(false),
})
const write = fc.record({
  kind: fc.constant('write' as const),
  key,
  text,
  compare,
  mode: fc.constantFrom(...Object.values(WriteMode), WriteMode.Set, WriteMode.Set),
  flags,
  ttlMs,
  newCas,
  invalidate: rarely,
  vivify: rarely,
  vivifyTtlMs: ttlMs,
  fence,
})
const remove = fc.record({
  kind: fc.constant('remove' as const),
  key,
  compare,
  newCas,
  invalidate: rarely,
  touch: rarely,
  ttlMs,
  dropValue: rarely,
  fence,
})
const arithmetic = fc.record({
  kind: fc.constant('arithmetic' as const),
  key,
  compare,
  decrement: fc.boolean(),
  delta,
  newCas,
  vivify: rarely,
  vivifyTtlMs: ttlMs,
  initial: delta,
  touch: rarely,
  ttlMs,
})
const others = fc.oneof(
  fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 2000 }) }),
  fc.record({ kind: fc.constant('sweep' as const) }),
  fc.record({ kind: fc.constant('flush' as const), delayMs: fc.constantFrom(0, -5, 300, 2500) }),
)
/** Strangers that fill the memory. */
export const filler = fc.record({
  kind: fc.constant('fill' as const),
  items: fc.integer({ min: 1, max: 60 }),
  bytes: fc.constantFrom(1, 50, 900, 5000, 40_000),
})

export const command = fc.oneof(
  { weight: 6, arbitrary: read },
  { weight: 8, arbitrary: write },
  { weight: 3, arbitrary: remove },
  { weight: 3, arbitrary: arithmetic },
  { weight: 2, arbitrary: others },
)
type Generated<A> = A extends fc.Arbitrary<infer T> ? T : never
export type Command = Generated<typeof command> | Generated<typeof filler>
