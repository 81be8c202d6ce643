/** What the scripts of the npm clients share; as the other languages' scripts they print a PASS or FAIL line for each check. */
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Given, GivenByRow } from '../given.js'

export const given: Given & GivenByRow = JSON.parse(process.argv[2])

/** Scripts run at the same time against the same servers, each in a key space of its own. */
const prefix = `${basename(process.argv[1], '.js')}.${process.pid}.`
let failures = 0

export function keyOf(name: string | number): string {
  return `${prefix}${name}`
}

/** Of so many keys, `<prefix>m0` on, each with a text of its own. */
export function items(count: number): Map<string, string> {
  return new Map(Array.from({ length: count }, (_, i) => [keyOf(`m${i}`), `value ${i}`]))
}

export function check(name: string, good: boolean, detail?: unknown): void {
  failures += good ? 0 : 1
  console.log(good ? `PASS ${name}` : `FAIL ${name} ${JSON.stringify(detail)?.slice(0, 400)}`)
}

export function equal(name: string, got: unknown, wanted: unknown): void {
  check(name, isDeepStrictEqual(got, wanted), { got, wanted })
}

export async function rejects(name: string, call: () => Promise<unknown>, words: RegExp): Promise<void> {
  try {
    check(name, false, { resolvedWith: await call() })
  } catch (thrown) {
    check(name, words.test(String(thrown)), String(thrown))
  }
}

/** Outlives every TTL of one second, also one that a server counts in ticks of its clock. */
export function endOfSecond(): Promise<void> {
  return sleep(2_200)
}

/** Ends the process: 0 when every check passed. */
export async function run(...parts: (() => Promise<void>)[]): Promise<never> {
  for (const part of parts) await part().catch((thrown) => check(part.name, false, String(thrown?.stack ?? thrown)))
  process.exit(failures > 0 ? 1 : 0)
}
