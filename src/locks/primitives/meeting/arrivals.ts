/**
 * Who has arrived, as a register keeps it: a mark of 10 characters for each, one after the other, since a register has 4 KiB. Of a
 * hundred thousand different texts, two have the same mark with a probability of one in a hundred million.
 */
import { createHash } from 'node:crypto'

/** 60 bits in base64. */
const MARK_LENGTH = 10

export function markOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, MARK_LENGTH)
}

/** The marks that were joined; undefined for what is no such text. */
export function marksIn(text: unknown): string[] | undefined {
  if (typeof text !== 'string' || !/^([\w-]{10})*$/.test(text)) return undefined
  return text.match(/.{10}/g) ?? []
}
