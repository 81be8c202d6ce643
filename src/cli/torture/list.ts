/** What the laboratory has. */
import type { Algorithm, FaultKind } from '../../torture/index.js'
import { tableText } from '../table.js'

export function listText(
  algorithms: readonly Algorithm[],
  onEngines: readonly Algorithm[],
  faults: readonly FaultKind[],
): string {
  return [
    'Algorithms of the museum (each was published, used, and broke):\n',
    algorithmRows(algorithms.filter(({ row }) => row !== undefined)),
    '\nOurs:\n',
    algorithmRows(algorithms.filter(({ row }) => row === undefined)),
    '\nOurs on other engines (--engines):\n',
    algorithmRows(onEngines),
    '\nFaults (those marked * do nothing to servers that others use):\n',
    tableText(faults.map(faultRow), () => false),
  ].join('')
}

function algorithmRows(algorithms: readonly Algorithm[]): string {
  const rows = algorithms.map(({ row, name, what, story }) => {
    return ['', row?.toString() ?? '', name, story === undefined ? what : `${what} (story: ${story})`]
  })
  return tableText(rows, (column) => column === 1)
}

function faultRow({ name, what, simulated, real, harmless }: FaultKind): string[] {
  const where = simulated && real ? '' : simulated ? ' (only simulated)' : ' (only real)'
  return ['', harmless ? '*' : '', name, `${what}${where}`]
}
