/** `latchkey torture`: lock algorithms, popular ones and ours, under faults, and who broke what. */
import { availableParallelism } from 'node:os'
import { Command, Option } from 'commander'
import { type Algorithm, catalogue, type FaultName, faultKinds, onEngines } from '../torture/index.js'
import { whole } from './sizes.js'
import { listText } from './torture/list.js'
import { algorithmList, engineList, faultList, minutes, serverList } from './torture/names.js'
import { replay } from './torture/replay.js'
import { tortureAll } from './torture/run.js'
import { outputsProblem } from './torture/write.js'

export interface TortureFlags {
  /** Default: all. */
  algorithm?: readonly Algorithm[]
  /** Instead of `algorithm`: ours on these. */
  engines?: readonly Algorithm[]
  /** Default: all; with `servers`, the harmless ones. */
  faults?: readonly FaultName[]
  servers?: readonly string[]
  seeds?: number
  minutes?: number
  seed: number
  /** Default: simulated; with `servers` or `engines`, real. */
  mode?: 'simulated' | 'real' | 'both'
  threads: number
  /** True: to stdout. */
  json?: string | true
  html?: string
  replay?: string
  shrink?: boolean
  list?: boolean
}

const examples = `
Examples:
  latchkey torture                              all, in virtual time: about a minute
  latchkey torture --html report.html           the same, with drawings of the worst runs
  latchkey torture --mode real --minutes 10     real servers, processes and signals
  latchkey torture --engines etcd,redis         our locks on these, as far as they are installed here
  latchkey torture --replay get-then-set/none/7 --shrink

It ends with 0 when ours broke no promise, 1 when it did, 2 for wrong arguments, 69 when servers cannot be reached, 70 when the
laboratory itself failed, 130 when it was stopped. What a run in virtual time found comes again exactly; with real processes the plan does.`

export function tortureCommand(): Command {
  return new Command('torture')
    .description('put lock algorithms, popular ones and ours, under faults, and count who broke mutual exclusion')
    .option('--algorithm <names>', 'all, or names with commas between them', algorithmList)
    .addOption(
      new Option('--engines <names>', 'real, our locks on etcd, redis, zookeeper, postgres, dynamodb, quorum, or all')
        .argParser(engineList)
        .conflicts('algorithm'),
    )
    .option('--faults <names>', 'all, or names with commas between them', faultList)
    .addOption(
      new Option('--mode <mode>', 'virtual time, or servers and processes').choices(['simulated', 'real', 'both']),
    )
    .option('--servers <list>', 'real, on servers of yours: only faults that do nothing to them', serverList)
    .option('--seeds <n>', 'runs of each algorithm under each fault (default: 50 simulated, 1 real)', whole(1, 1e6))
    .addOption(
      new Option('--minutes <n>', 'go on with new seeds for so long, rather than --seeds')
        .argParser(minutes)
        .conflicts('seeds'),
    )
    .option('--seed <n>', 'the first seed', whole(0, 2 ** 31), 1)
    .option('--threads <n>', 'that simulate', whole(1, 256), availableParallelism())
    .option('--json [file]', 'the result as JSON, to a file or, with no table, to stdout')
    .option('--html <file>', 'the result as a page, with a drawing of each worst run')
    .option('--replay <run>', 'one run again: ALGORITHM/FAULT/SEED, or a file from --json with --algorithm')
    .option('--shrink', 'with --replay: make its schedule as short as it can be and still fail')
    .option('--list', 'tell which algorithms and faults there are')
    .allowExcessArguments(false)
    .addHelpText('after', examples)
    .action(async (flags: TortureFlags, command: Command) => {
      const problem = problemWith(flags) ?? outputsProblem(flags)
      if (problem !== undefined) command.error(`error: ${problem}`)
      process.exitCode = await run(flags)
    })
}

async function run(flags: TortureFlags): Promise<number> {
  if (flags.list) process.stdout.write(listText(catalogue, Object.values(onEngines), faultKinds))
  else if (flags.replay !== undefined) return replay(flags.replay, flags)
  else return tortureAll(flags)
  return 0
}

/** Flags that make no sense together. */
function problemWith({ servers, mode, faults = [], shrink, replay, minutes, seeds }: TortureFlags): string | undefined {
  if (shrink && replay === undefined) return '--shrink shortens a run: name it with --replay.'
  if (replay !== undefined && (minutes ?? seeds) !== undefined)
    return '--replay is of one run: without --seeds and --minutes.'
  if (servers === undefined) return undefined
  if (mode !== undefined && mode !== 'real') return `--servers is for real runs, not with --mode ${mode}.`
  const harmful = faultKinds.filter(({ name, harmless }) => !harmless && faults.includes(name))
  if (harmful.length === 0) return undefined
  return `with --servers nothing is done to the servers, so not ${harmful.map(({ name }) => name).join(', ')}.`
}
