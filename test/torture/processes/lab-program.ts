/** A program with a laboratory in it, to be killed: the plan, and the options, come as JSON. Ends when the plan is carried out. */
import { processes } from 'latchkey/torture'

const [plan, options] = process.argv.slice(2).map((text) => JSON.parse(text))
const catalogue = new URL('./tiny.js', import.meta.url).href
const laboratory = await processes({ catalogue, ...options })
await laboratory.run(plan)
await laboratory.close()
