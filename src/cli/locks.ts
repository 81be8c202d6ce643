/** `latchkey locks ls | inspect | release`: for operators. */
import { Command, InvalidArgumentError } from 'commander'
import type { LockInfo, Locks } from '../locks/index.js'
import { printJson } from './cache.js'
import { exitCodes } from './exit-codes.js'
import { asJson, lockTable, lockText } from './lock-text.js'
import { say } from './say.js'
import { addLocksFlags, holderText, type LocksFlags, withLocks } from './with-locks.js'

interface Flags extends LocksFlags {
  json?: boolean
}

interface ReleaseFlags extends LocksFlags {
  ifFence?: bigint
  force?: boolean
}

export function locksCommand(): Command {
  return new Command('locks')
    .description('look at locks, and take them away')
    .addCommand(
      addLocksFlags(new Command('ls'))
        .description('list the locks that are held; reads through the whole cache on stock memcached')
        .argument('[prefix]', 'what their names begin with', '')
        .option('--json', 'print JSON')
        .action((prefix: string, flags: Flags) => withLocks(flags, (locks) => list(locks, prefix, flags))),
    )
    .addCommand(
      addLocksFlags(new Command('inspect'))
        .description('tell who holds a lock; ends with 1 when it is free')
        .argument('<name>')
        .option('--json', 'print JSON')
        .action((name: string, flags: Flags) => withLocks(flags, (locks) => inspect(locks, name, flags))),
    )
    .addCommand(
      addLocksFlags(new Command('release'))
        .description('take a lock from its holder, who finds out at the next renewal; ends with 1 when there is none')
        .argument('<name>')
        .option('--if-fence <n>', 'only from the holder with this fence', fence)
        .option('--force', 'from whoever holds it')
        .action((name: string, flags: ReleaseFlags) => withLocks(flags, (locks) => release(locks, name, flags))),
    )
}

async function list(locks: Locks, prefix: string, { json }: Flags): Promise<number> {
  const found: LockInfo[] = []
  for await (const info of locks.list(prefix)) found.push(info)
  found.sort((one, other) => (one.name < other.name ? -1 : 1))
  if (json) printJson(found.map(asJson))
  else if (found.length > 0) process.stdout.write(lockTable(found))
  return 0
}

async function inspect(locks: Locks, name: string, { json }: Flags): Promise<number> {
  const info = await locks.inspect(name)
  if (json) printJson(info === undefined ? null : asJson(info))
  else if (info === undefined) say(`${name} is not held`)
  else process.stdout.write(lockText(info))
  return info === undefined ? exitCodes.failed : 0
}

async function release(locks: Locks, name: string, { ifFence, force }: ReleaseFlags): Promise<number> {
  const info = await locks.inspect(name)
  if (info === undefined) {
    say(`${name} is not held`)
    return exitCodes.failed
  }
  const held = `held by ${holderText(info)}${info.fence === undefined ? '' : `, fence ${info.fence}`}`
  if (ifFence === undefined && !force) {
    say(`${name} is ${held}, and its holder may be at work: --force takes it away, --if-fence only from one holder`)
    return exitCodes.usage
  }
  if (ifFence !== undefined && info.fence !== ifFence) {
    say(`${name} is ${held}, not fence ${ifFence}: it was left alone`)
    return exitCodes.failed
  }
  // Only from the one that was just looked at, so that what is told is what was done.
  if (!(await locks.forceRelease(name, { ifOwner: info.owner }))) {
    say(`${name} was ${held}, who does not hold it any more: it was left alone`)
    return exitCodes.failed
  }
  process.stdout.write(`${name} released; it was ${held}\n`)
  return 0
}

function fence(text: string): bigint {
  if (/^\d{1,20}$/.test(text)) return BigInt(text)
  throw new InvalidArgumentError('A fence is a whole number.')
}
