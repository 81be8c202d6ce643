/** `npm run rules`: takes each rule out, looks for what that breaks, and writes it into docs/LOCKS.md. `-- name …`: only those mutants, and only told. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../support/root.js'
import { hunt } from './hunt.js'
import { breed } from './mutant.js'
import { mutants } from './mutants.js'
import { type Row, tableOf, withTable } from './table.js'

const SEEDS = 2000

const rows: Row[] = []
const [, , ...only] = process.argv
for (const mutant of mutants) {
  if (only.length > 0 && !only.includes(mutant.name)) continue
  const startedAt = performance.now()
  const prey = await hunt(await breed(mutant), mutant, SEEDS)
  const s = ((performance.now() - startedAt) / 1000).toFixed(1)
  const told =
    prey && `${prey.algorithm} ${prey.fault} seed ${prey.seed}: ${prey.violation.kind}: ${prey.violation.text}`
  console.log(`rule ${mutant.rule}, ${mutant.name}: ${told ?? 'BROKE NOTHING'} (${s} s)`)
  if (prey === undefined) process.exitCode = 1
  else rows.push({ mutant, prey })
}
const path = join(projectRoot, 'docs/LOCKS.md')
if (process.exitCode !== 1 && only.length === 0)
  writeFileSync(path, withTable(readFileSync(path, 'utf8'), tableOf(rows)))
