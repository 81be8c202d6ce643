/** Everything that is true of the client on every kind of server. */

import { adminCases } from './suite/admin-cases.js'
import type { Case } from './suite/case.js'
import { counterCases } from './suite/counter-cases.js'
import { expiryCases } from './suite/expiry-cases.js'
import { fetchCases } from './suite/fetch-cases.js'
import { keyCases } from './suite/key-cases.js'
import { lifecycleCases } from './suite/lifecycle-cases.js'
import { manyCases } from './suite/many-cases.js'
import { sessionCases } from './suite/session-cases.js'
import { storageCases } from './suite/storage-cases.js'
import { updateCases } from './suite/update-cases.js'
import { valueCases } from './suite/value-cases.js'

export const cases: readonly Case[] = [
  ...storageCases,
  ...counterCases,
  ...keyCases,
  ...valueCases,
  ...expiryCases,
  ...manyCases,
  ...updateCases,
  ...fetchCases,
  ...lifecycleCases,
  ...adminCases,
  ...sessionCases,
]
