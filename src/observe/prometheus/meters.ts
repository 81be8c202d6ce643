/** Metrics of one register that come and go together. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export class Meters {
  readonly #register: Registry
  readonly #prefix: string
  readonly #names: string[] = []

  constructor(register: Registry, prefix: string) {
    this.#register = register
    this.#prefix = prefix
  }

  counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return this.#made(name, (own) => new Counter({ ...own, help, labelNames: [...labelNames] }))
  }

  /** `collect`: called before it is read. */
  gauge<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    collect: (gauge: Gauge<L>) => void = () => {},
  ): Gauge<L> {
    const config = { help, labelNames: [...labelNames] }
    return this.#made(
      name,
      (own) =>
        new Gauge({
          ...own,
          ...config,
          collect() {
            collect(this)
          },
        }),
    )
  }

  histogram<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    buckets: readonly number[],
  ): Histogram<L> {
    const config = { help, labelNames: [...labelNames], buckets: [...buckets] }
    return this.#made(name, (own) => new Histogram({ ...own, ...config }))
  }

  remove(): void {
    for (const name of this.#names.splice(0)) this.#register.removeSingleMetric(name)
  }

  #made<M>(name: string, make: (own: { name: string; registers: Registry[] }) => M): M {
    const full = this.#prefix + name
    const metric = make({ name: full, registers: [this.#register] })
    // After that: one that the register has had before is somebody else's.
    this.#names.push(full)
    return metric
  }
}
