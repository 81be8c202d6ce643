/** What is asked of a server, and what it answers: meta commands, as they stand on the wire. */

export type Command = 'mg' | 'ms' | 'md' | 'ma' | 'stats' | 'flush_all'

export interface Request {
  readonly command: Command
  /** Of the server itself: which statistics, or empty. */
  readonly key: string
  readonly flags: readonly string[]
  readonly value?: string | undefined
  /** A classic command: it leaves what is there when there is no memory for it. */
  readonly classic?: boolean | undefined
  /** Who asks; undefined: nobody of the run. */
  readonly by: number | undefined
}

export interface Answer {
  /** `HD`, `VA`, …, or `SERVER_ERROR` and `CLIENT_ERROR`, with the words of it as their one flag. */
  readonly status: string
  readonly flags: readonly string[]
  readonly value?: string | undefined
  readonly rows?: Readonly<Record<string, string>> | undefined
}

export const HD: Answer = { status: 'HD', flags: [] }
export const EN: Answer = { status: 'EN', flags: [] }
export const NS: Answer = { status: 'NS', flags: [] }
export const EX: Answer = { status: 'EX', flags: [] }
export const NF: Answer = { status: 'NF', flags: [] }

export function serverError(words: string): Answer {
  return { status: 'SERVER_ERROR', flags: [words] }
}

export function clientError(words: string): Answer {
  return { status: 'CLIENT_ERROR', flags: [words] }
}

/** What stands behind the letter; undefined where the flag is not there. */
export function flagOf(flags: readonly string[], letter: string): string | undefined {
  for (const flag of flags) if (flag[0] === letter) return flag.slice(1)
  return undefined
}
