/** Several processes on one model server, each with locks of its own. */
import { type Model, type ModelOptions, model } from '../support/model.js'

export function processes(count: number, options: ModelOptions = {}): Model[] {
  const first = model(options)
  const { time, server } = first
  const others = Array.from({ length: count - 1 }, (_, i) => model({ ...options, time, server, seed: i + 2 }))
  return [first, ...others]
}
