/** The error of a codec that meets what it did not write, or cannot write. */
import { inspect } from 'node:util'
import { CodecError } from '../errors.js'

/** `what` tells what the flags mean, where that is known. */
export function foreignFlags(codec: string, flags: number, what?: string): CodecError {
  const known = what === undefined ? '' : ` (${what})`
  return new CodecError(`${codec} does not read values with flags ${flags}${known}`)
}

export function malformed(codec: string, flags: number, what: string, cause?: unknown): CodecError {
  return new CodecError(`${codec} cannot read a value with flags ${flags}: it is ${what}`, { cause })
}

export function unencodable(codec: string, value: unknown, wanted: string, cause?: unknown): CodecError {
  const shown = inspect(value, {
    depth: 0,
    maxStringLength: 40,
    maxArrayLength: 3,
    breakLength: Number.POSITIVE_INFINITY,
  })
  return new CodecError(`${codec} cannot write ${shown}: it takes ${wanted}`, { cause })
}
