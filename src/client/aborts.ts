/** One listener a signal, however many calls wait on it: a signal of a whole request is used by all its calls. */

const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/** Calls `run` when the signal aborts. Returns how to forget it. The signal has not aborted yet. */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  const runs = waiting.get(signal) ?? listen(signal)
  runs.add(run)
  return () => runs.delete(run)
}

function listen(signal: AbortSignal): Set<() => void> {
  const runs = new Set<() => void>()
  waiting.set(signal, runs)
  const runAll = () => {
    for (const run of runs) run()
  }
  signal.addEventListener('abort', runAll, { once: true })
  return runs
}
