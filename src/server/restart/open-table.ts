/** The table that a server begins with: the last one's, as far as that can be had. */
import { type StoreOptions, Table } from '../../store/index.js'
import { type LockState, tellGrace } from '../state/lock-state.js'
import type { MemoryFile } from './memory-file.js'

export async function openTable(
  options: StoreOptions,
  file: MemoryFile | undefined,
  state: LockState | undefined,
  log: (message: string) => void,
): Promise<Table> {
  const table = (await file?.load(options, state)) ?? Table.create(options, undefined, state?.inherited)
  state?.reckonWith(table.leaseLeftMs())
  // A table that was brought back has the locks that were held, and waits for nobody unless it did so before.
  tellGrace(table.graceMs, log)
  return table
}
