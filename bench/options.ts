import { parseArgs } from 'node:util'
import { builtMain } from './support/servers.js'

export const partNames = [
  ...(['server', 'binary', 'tls', 'idle'] as const),
  ...(['store', 'items', 'misses', 'churn', 'client', 'stampede', 'locks', 'quorum'] as const),
] as const
export type PartName = (typeof partNames)[number]

export interface BenchOptions {
  parts: readonly PartName[]
  quick: boolean
  /** Put memcached on both sides, to see how far from 1.00 the method itself strays. */
  calibrate: boolean
  threads: number
  /** The compiled cli/main.js of the Latchkey to measure in the parts that start a server. */
  main: string
  /** Write results.json and the table in README.md. */
  save: boolean
}

export const usage = `npm run bench -- [--quick] [--calibrate] [--threads N] [--main FILE] [--save | --no-save] [${partNames.join(' | ')}]…

  --quick      fewer cases and shorter runs: about five minutes for all parts; not saved unless asked
  --calibrate  memcached against memcached, server part only unless parts are named
  --threads    threads of both servers in the parts server, binary and tls; default 1
  --main       another build's dist/cli/main.js, to compare with; not saved unless asked
`

/** @throws Error with a sentence for the user when the arguments make no sense. */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      calibrate: { type: 'boolean', default: false },
      main: { type: 'string', default: builtMain },
      threads: { type: 'string', default: '1' },
      save: { type: 'boolean', default: false },
      'no-save': { type: 'boolean', default: false },
    },
  })
  const threads = Number(values.threads)
  if (!Number.isInteger(threads) || threads < 1) throw new Error(`--threads must be 1 or more, not ${values.threads}`)
  const named = positionals.map(partNamed)
  const all = values.calibrate ? (['server'] as const) : partNames
  return {
    parts: named.length === 0 ? all : named,
    quick: values.quick,
    calibrate: values.calibrate,
    threads,
    main: values.main,
    save: values.save || !(values.quick || values.main !== builtMain || values['no-save']),
  }
}

function partNamed(name: string): PartName {
  const part = partNames.find((candidate) => candidate === name)
  if (part === undefined) throw new Error(`no part is called ${name}: there are ${partNames.join(', ')}`)
  return part
}
