/** The two servers, told the same: memory for everything, and nobody else at work in it. */
import { type ServerProcess, startLatchkey, startMemcached } from '../../support/process.js'

export interface Servers {
  readonly ours: ServerProcess
  readonly theirs: ServerProcess
  stop(): Promise<void>
}

const memoryMb = 512

/** `itemMaxBytes` is what both take at most for an item. */
export async function startBoth(itemMaxBytes: number): Promise<Servers> {
  const size = ['-I', `${itemMaxBytes}`]
  // One thread, which lets go of the items of a reply before it reads on; and its maintenance thread would hold items, too.
  const alone = ['-t', '1', '-m', `${memoryMb}`, '-o', 'no_lru_maintainer']
  const [ours, theirs] = await Promise.all([
    startLatchkey({ threads: 2, memoryMb, args: size }),
    startMemcached([...alone, ...size]),
  ])
  return { ours, theirs, stop: async () => void (await Promise.all([ours.stop(), theirs.stop()])) }
}
