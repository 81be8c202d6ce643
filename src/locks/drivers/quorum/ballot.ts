/** One question to all servers at once, decided as soon as the answers so far decide it. */

export type Answer<T> =
  | { readonly kind: 'none' }
  | { readonly kind: 'given'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: unknown }

export const NONE = { kind: 'none' } as const

/** What servers have said so far. */
export class Answers<T> {
  /** By server, as they are now. */
  readonly answers: Answer<T>[]

  constructor(answers: Answer<T>[]) {
    this.answers = answers
  }

  count(matches: (answer: Answer<T>) => boolean): number {
    return this.answers.reduce((sum, answer) => (matches(answer) ? sum + 1 : sum), 0)
  }

  /** What servers have said, with their numbers. */
  given(): { at: number; value: T }[] {
    return this.answers.flatMap((answer, at) => (answer.kind === 'given' ? [{ at, value: answer.value }] : []))
  }

  errors(): unknown[] {
    return this.answers.flatMap((answer) => (answer.kind === 'failed' ? [answer.error] : []))
  }
}

export class Ballot<T> extends Answers<T> {
  /** By server; never rejects. */
  readonly coming: readonly Promise<Answer<T>>[]
  #told: () => void = () => undefined

  constructor(asked: readonly Promise<T>[]) {
    super(asked.map(() => NONE))
    this.coming = asked.map((asking, at) => this.#note(at, asking))
  }

  async #note(at: number, asking: Promise<T>): Promise<Answer<T>> {
    const answer: Answer<T> = await asking.then(
      (value) => ({ kind: 'given', value }) as const,
      (error: unknown) => ({ kind: 'failed', error }) as const,
    )
    this.answers[at] = answer
    this.#told()
    return answer
  }

  /** Until `isDecided`, or until all have answered or failed. */
  async until(isDecided: () => boolean): Promise<void> {
    while (!isDecided() && this.count(({ kind }) => kind === 'none') > 0) {
      await new Promise<void>((resolve) => {
        this.#told = resolve
      })
    }
  }
}
