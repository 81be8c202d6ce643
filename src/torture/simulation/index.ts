/**
 * The laboratory in virtual time: real locks and recipes, on clocks, a network and servers that are models. A run depends on its plan
 * alone, and takes some milliseconds.
 */
import type { Algorithm } from '../algorithm.js'
import { algorithmNamed } from '../algorithms/index.js'
import { type FaultName, faultKind } from '../faults.js'
import type { History } from '../history.js'
import { isEngine } from '../homes.js'
import type { Laboratory } from '../laboratory.js'
import type { Plan } from '../plan.js'
import { Run } from './run.js'

/** `find`: where algorithms are, by their names. */
export function simulation(find: (name: string) => Algorithm = algorithmNamed): Laboratory {
  return {
    name: 'simulation',
    atOnce: 1,
    refuses,
    async run(plan: Plan): Promise<History> {
      const algorithm = find(plan.algorithm)
      const refused = refuses(algorithm, plan.fault) ?? struckFor(plan)
      if (refused !== undefined) throw new Error(`the simulation cannot do ${plan.algorithm}: ${refused}`)
      return new Run(plan, algorithm).run()
    },
    async close() {},
  }
}

function refuses({ home, servers = 1 }: Algorithm, fault: FaultName): string | undefined {
  if (home === 'embedded') return 'shared memory and its threads are real'
  if (isEngine(home)) return 'only with real processes'
  if (!faultKind(fault).simulated) return `${fault} takes real processes`
  return fault === 'lists' && servers === 1 ? 'a list of one server has one order' : undefined
}

function struckFor({ incidents }: Plan): string | undefined {
  return incidents.some(({ what }) => what === 'heap') ? 'heap takes real processes' : undefined
}
