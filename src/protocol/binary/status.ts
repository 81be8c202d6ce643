/** Statuses of the binary protocol, and the words that memcached sends with them. */
import { Text } from '../text.js'

export const BinaryStatus = {
  Ok: 0x00,
  NotFound: 0x01,
  Exists: 0x02,
  TooLarge: 0x03,
  Invalid: 0x04,
  NotStored: 0x05,
  NonNumeric: 0x06,
  AuthFailure: 0x20,
  AuthContinue: 0x21,
  UnknownCommand: 0x81,
  OutOfMemory: 0x82,
  Internal: 0x84,
  /** Not now, and perhaps later. */
  Temporary: 0x86,
} as const
export type BinaryStatus = (typeof BinaryStatus)[keyof typeof BinaryStatus]

/** By status. */
export const STATUS_TEXTS: Text[] = []
STATUS_TEXTS[BinaryStatus.NotFound] = new Text('Not found')
STATUS_TEXTS[BinaryStatus.Exists] = new Text('Data exists for key.')
STATUS_TEXTS[BinaryStatus.TooLarge] = new Text('Too large.')
STATUS_TEXTS[BinaryStatus.Invalid] = new Text('Invalid arguments')
STATUS_TEXTS[BinaryStatus.NotStored] = new Text('Not stored.')
STATUS_TEXTS[BinaryStatus.NonNumeric] = new Text('Non-numeric server-side value for incr or decr')
STATUS_TEXTS[BinaryStatus.AuthFailure] = new Text('Auth failure.')
STATUS_TEXTS[BinaryStatus.UnknownCommand] = new Text('Unknown command')
STATUS_TEXTS[BinaryStatus.OutOfMemory] = new Text('Out of memory')
