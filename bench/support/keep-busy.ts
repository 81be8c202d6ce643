/** In two halves, so that the loop awaits the client's own promise. `turn` counts the calls, `loop` says whose it is. */
export interface Call<Reply = unknown> {
  send(turn: number, loop: number): Promise<Reply>
  /** @throws Error when the reply is not right. */
  check(turn: number, reply: Reply): void
}

/** So many loops in this thread, each of which awaits every call. What every call took, in milliseconds. */
export async function keepBusy<Reply>(
  { send, check }: Call<Reply>,
  concurrency: number,
  durationMs: number,
): Promise<Float64Array> {
  const latenciesMs: number[] = []
  const endsAt = performance.now() + durationMs
  let turns = 0
  const loop = async (number: number) => {
    let startedAt = performance.now()
    while (startedAt < endsAt) {
      const turn = turns++
      check(turn, await send(turn, number))
      const now = performance.now()
      latenciesMs.push(now - startedAt)
      startedAt = now
    }
  }
  await Promise.all(Array.from({ length: concurrency }, (_, number) => loop(number)))
  return Float64Array.from(latenciesMs)
}
