/** The fake laboratory in a worker thread. Seed 13 kills the thread. */
import { serveShares } from '#dist/torture/campaign/serve-shares.js'
import { algorithms, Fake, rules } from './fakes.js'

const laboratory = new Fake('simulation', 1, async ({ seed }) => {
  if (seed === 13) process.exit(3)
})
serveShares(laboratory, rules, (name) => algorithms.find((each) => each.name === name)!)
