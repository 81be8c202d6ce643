/** Where the tests' randomness begins. */

const DEFAULT_SEED = 20_260_601

/**
 * The same every time, so that no change fails by chance, unless LATCHKEY_FUZZ_SEED names another or says `random`.
 * 32 bits unsigned. Print it with a failure.
 */
export function chosenSeed(): number {
  const given = process.env.LATCHKEY_FUZZ_SEED
  if (given === undefined) return DEFAULT_SEED
  return given === 'random' ? (Date.now() ^ (process.pid << 16)) >>> 0 : Number(given) >>> 0
}
