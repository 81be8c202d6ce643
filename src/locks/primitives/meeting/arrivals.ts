/**
 * Who has arrived, as a register keeps it: a mark of 10 characters for each, one after the other, since a register has 4 KiB. Of a
 * hundred thousand different texts, two have the same mark with a probability of one in a hundred million.
 */
import { createHash } from 'node:crypto'
import type { Span } from '../../../time/index.js'
import { LockArgumentError } from '../../errors.js'
import { span } from '../../settings.js'

/** 60 bits in base64. */
const MARK_LENGTH = 10
const SHORTEST_TTL_MS = 1000
const LONGEST_TTL_MS = 30 * 86_400_000

/** How long arrivals are kept, in milliseconds. Throws LockArgumentError. */
export function keptMs(ttl: Span): number {
  return span(ttl, 'ttl', SHORTEST_TTL_MS, LONGEST_TTL_MS)
}

/** Who it is that arrives. Throws LockArgumentError. */
export function checkId(id: unknown, name: string): string {
  if (typeof id === 'string' && id !== '') return id
  throw new LockArgumentError('an id is a text that is not empty', name)
}

export function markOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, MARK_LENGTH)
}

/** The marks that were joined; undefined for what is no such text. */
export function marksIn(text: unknown): string[] | undefined {
  if (typeof text !== 'string' || !/^([\w-]{10})*$/.test(text)) return undefined
  return text.match(/.{10}/g) ?? []
}
