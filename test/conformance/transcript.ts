/**
 * Transcripts: what one sends to a memcached, and what must come back. Plain text, one topic a file.
 *
 *   # comment
 *   > get a              send `get a\r\n`; notation.ts says how bytes are written
 *   >> get a             send it without the \r\n
 *   < END                expect the line `END\r\n`
 *   <latchkey ERROR      expect it from Latchkey only; <1.6.18 from Debian's memcached only
 *   <* STAT <any>        expect lines like this, as many as there are
 *   <has STAT pid <any>  and among the lines that the last <* took there is one like this
 *   <until type=<any>    pass over lines until there is one like this
 *   ~ 1.5s               let time pass
 *   closed               expect that the server closes the connection
 *   abandon              close the connection from this side
 *   @other               go on with the connection of this name; the first is @main
 *   [latchkey: reason]   what follows is for Latchkey only; likewise [1.6.18: reason]; [all] ends it
 *   !no batch: reason    not to be played with all bytes at once
 */
import { type Part, parseExpected, parseSent } from './notation.js'

export type Target = 'latchkey' | '1.6.18'

export type Step = { line: number; text: string } & (
  | { kind: 'send'; parts: Part[] }
  | { kind: 'expect'; parts: Part[] }
  | { kind: 'many'; parts: Part[] }
  | { kind: 'has'; parts: Part[] }
  | { kind: 'until'; parts: Part[] }
  | { kind: 'sleep'; ms: number }
  | { kind: 'closed' }
  | { kind: 'abandon' }
  | { kind: 'connection'; name: string }
)

export type Numbered<S> = S & { line: number; text: string }

export interface Transcript<S = Step> {
  name: string
  steps: Numbered<S>[]
  /** Why it cannot be played in one batch, if so. */
  noBatch: string | undefined
}

const section = /^\[(all|(latchkey|1\.6\.18): \S.*)\]$/

/** The steps of a transcript that are meant for `target`. Throws on a line that it does not understand. */
export function parseTranscript(name: string, text: string, target: Target): Transcript {
  return readTranscript(name, text, target, parseStep) as Transcript
}

/** Likewise, in another notation: `parse` understands one line, and leaves out what is for another target. */
export function readTranscript<S>(
  name: string,
  text: string,
  target: Target,
  parse: (source: string, target: Target, where: string) => S | undefined,
): Transcript<S> {
  const steps: Numbered<S>[] = []
  let noBatch: string | undefined
  let meant = true
  text.split('\n').forEach((source, index) => {
    if (source.trim() === '' || source.startsWith('#')) return
    const found = section.exec(source)
    if (found !== null) {
      meant = found[1] === 'all' || found[2] === target
      return
    }
    if (source.startsWith('!no batch: ')) {
      noBatch = source.slice('!no batch: '.length)
      return
    }
    const step = parse(source, target, `${name}:${index + 1}`)
    if (meant && step !== undefined) steps.push({ ...step, line: index + 1, text: source })
  })
  return { name, steps, noBatch }
}

type Content<S> = S extends unknown ? Omit<S, 'line' | 'text'> : never

const words = /^(>>|>|<latchkey|<1\.6\.18|<\*|<has|<until|<|~|@)(?: ?)(.*)$/

function parseStep(source: string, target: Target, where: string): Content<Step> | undefined {
  if (source === 'closed' || source === 'abandon') return { kind: source }
  const found = words.exec(source)
  if (found === null) throw new Error(`${where}: not understood: ${source}`)
  const [, word, rest] = found
  switch (word) {
    case '>':
      return { kind: 'send', parts: parseSent(`${rest}\\r\\n`) }
    case '>>':
      return { kind: 'send', parts: parseSent(rest) }
    case '<*':
      return { kind: 'many', parts: parseExpected(rest) }
    case '<has':
      return { kind: 'has', parts: parseExpected(rest) }
    case '<until':
      return { kind: 'until', parts: parseExpected(rest) }
    case '~':
      return { kind: 'sleep', ms: Number.parseFloat(rest) * 1000 }
    case '@':
      return { kind: 'connection', name: rest }
    case '<':
      return { kind: 'expect', parts: parseExpected(rest) }
    default:
      return word === `<${target}` ? { kind: 'expect', parts: parseExpected(rest) } : undefined
  }
}

export function hasSleeps(transcript: { steps: { kind: string }[] }): boolean {
  return transcript.steps.some((step) => step.kind === 'sleep')
}
