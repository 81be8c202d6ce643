/** The script of a thread that does simulated runs. */
import { algorithmNamed } from '../algorithms/index.js'
import { check } from '../checker/index.js'
import { planOf } from '../planning.js'
import { simulation } from '../simulation/index.js'
import { serveShares } from './serve-shares.js'

serveShares(simulation(), { planOf, check }, algorithmNamed)
