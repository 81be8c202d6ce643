/** Which laboratories a command works in. */
import { type FaultName, faultKinds, type Laboratory, processes, simulation } from '../../torture/index.js'
import type { TortureFlags } from '../torture.js'

export type Mode = NonNullable<TortureFlags['mode']>

export function modeOf({ mode, servers, engines }: TortureFlags): Mode {
  return mode ?? (servers === undefined && engines === undefined ? 'simulated' : 'real')
}

/** Rejects with LaboratoryError when the servers cannot be reached. */
export async function openLaboratories(mode: Mode, { servers }: TortureFlags): Promise<Laboratory[]> {
  const opened: Laboratory[] = mode === 'real' ? [] : [simulation()]
  return mode === 'simulated' ? opened : [...opened, await processes(servers === undefined ? {} : { servers })]
}

export function faultsOf({ faults, servers }: TortureFlags): readonly FaultName[] {
  if (faults !== undefined) return faults
  return faultKinds.filter(({ harmless }) => servers === undefined || harmless).map(({ name }) => name)
}

/** Aborts at the first SIGINT or SIGTERM. The second ends the process, whatever is still being put away. */
export function untilStopped(): AbortSignal {
  const stop = new AbortController()
  const code = { SIGINT: 130, SIGTERM: 143 }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(code[signal])
      stop.abort()
    })
  }
  return stop.signal
}
