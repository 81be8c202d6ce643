/** The laboratory with real processes. */
export { LaboratoryError } from './errors.js'
export { processes } from './laboratory.js'
export type { ProcessesOptions } from './options.js'
