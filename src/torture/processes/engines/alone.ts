/** Engines of one server. */
import { ownAddress } from '../../faults/fault-proxy.js'
import { LaboratoryError } from '../errors.js'
import type { Estate } from '../estate.js'
import { freePorts } from '../free-ports.js'
import type { Program } from '../programs.js'
import { ServerProcess } from '../server-process.js'

/** At an address of its own. Rejects with LaboratoryError, also where several are wanted. */
export async function startAlone(program: Program, count: number, estate: Estate): Promise<[ServerProcess]> {
  if (count !== 1) throw new LaboratoryError(`${program.name} is one server here`)
  const host = ownAddress()
  const [port] = await freePorts(1, host)
  return [await ServerProcess.start(program, estate, { host, port })]
}
