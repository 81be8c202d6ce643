/** Lists on the command line. Refusals say what there is. */
import { InvalidArgumentError } from 'commander'
import { type Algorithm, catalogue, type FaultName, faultKinds, isFaultName, onEngines } from '../../torture/index.js'

export function algorithmList(text: string): readonly Algorithm[] | undefined {
  return listOf(text, (name) => {
    const all = [...catalogue, ...Object.values(onEngines)]
    const found = all.find((each) => each.name === name)
    if (found === undefined) throw unknown(`There is no algorithm ${name}`, all)
    return found
  })
}

/** What there is on each; all of them for `all`. */
export function engineList(text: string): readonly Algorithm[] {
  const names = Object.keys(onEngines) as (keyof typeof onEngines)[]
  const found = listOf(text, (name) => {
    const engine = names.find((each) => each === name)
    if (engine !== undefined) return onEngines[engine]
    const known = names.map((each) => ({ name: each }))
    throw unknown(`There is no engine ${name}`, known)
  })
  return found ?? Object.values(onEngines)
}

export function faultList(text: string): readonly FaultName[] | undefined {
  return listOf(text, (name) => {
    if (!isFaultName(name)) throw unknown(`There is no fault ${name}`, faultKinds)
    return name
  })
}

export function serverList(text: string): readonly string[] {
  const servers = text.split(',').map((server) => server.trim())
  if (servers.every((server) => /^[^\s:]+:\d{1,5}$|^\[[^\]\s]+\]:\d{1,5}$/.test(server))) return servers
  throw new InvalidArgumentError('It is a list such as 10.0.0.1:11211,10.0.0.2:11211.')
}

export function minutes(text: string): number {
  const value = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && value > 0 && value <= 100_000) return value
  throw new InvalidArgumentError('Expected a number of minutes, such as 10 or 0.5.')
}

/** Each name once; undefined for all of them. */
function listOf<T>(text: string, find: (name: string) => T): readonly T[] | undefined {
  if (text === 'all') return undefined
  return [...new Set(text.split(',').map((name) => find(name.trim())))]
}

function unknown(problem: string, known: readonly { name: string }[]): InvalidArgumentError {
  return new InvalidArgumentError(`${problem}; there are ${known.map(({ name }) => name).join(', ')}.`)
}
