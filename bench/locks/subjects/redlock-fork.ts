import { Redlock } from '@sesamecare-oss/redlock'
import { patience, redlockBy } from './redlock.js'

/** The fork that goes on where redlock's last beta stopped. */
export const open = redlockBy((redis) => new Redlock([redis], patience))
