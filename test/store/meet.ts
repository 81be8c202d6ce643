/** Counts the caller in at a gate, and waits until `all` have come. Gates are passed again and again: `all` grows. */
export function meet(gate: Int32Array, all: number): void {
  // Only the last wakes the others, so that they go on together.
  if (Atomics.add(gate, 0, 1) + 1 === all) Atomics.notify(gate, 0)
  for (let come = Atomics.load(gate, 0); come < all; come = Atomics.load(gate, 0)) Atomics.wait(gate, 0, come, 10)
}
