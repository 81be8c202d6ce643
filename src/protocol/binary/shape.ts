/** What a frame of each opcode is made of. What is made otherwise is refused before anything looks inside. */
import type { Frame } from './frame.js'
import { Opcode } from './opcode.js'

type KeyRule = 'none' | 'any' | 'required'

/** A class, so that all have one hidden class: every request looks at one. */
export class Shape {
  constructor(
    /** Bytes of the extras. */
    readonly extras: number,
    readonly key: KeyRule,
    readonly hasValue: boolean,
    /** The command itself: of a quiet opcode, or of one that asks for the key, the plain one. */
    readonly command: Opcode,
    /** Success is not answered; of a look-up, it is failure that is not. */
    readonly quiet: boolean,
    /** The reply to a look-up has the key in it. */
    readonly withKey = false,
  ) {}
}

/** By opcode; undefined where there is no such command. */
export const SHAPES: (Shape | undefined)[] = new Array(256).fill(undefined)

function define(extras: number, key: KeyRule, hasValue: boolean, command: Opcode, quiet?: Opcode): void {
  SHAPES[command] = new Shape(extras, key, hasValue, command, false)
  if (quiet !== undefined) SHAPES[quiet] = new Shape(extras, key, hasValue, command, true)
}

function defineLookUp(extras: number, command: Opcode, quiet: Opcode, withKey: Opcode, withKeyQuiet: Opcode): void {
  define(extras, 'required', false, command, quiet)
  SHAPES[withKey] = new Shape(extras, 'required', false, command, false, true)
  SHAPES[withKeyQuiet] = new Shape(extras, 'required', false, command, true, true)
}

defineLookUp(0, Opcode.Get, Opcode.GetQ, Opcode.GetK, Opcode.GetKQ)
defineLookUp(4, Opcode.Gat, Opcode.GatQ, Opcode.GatK, Opcode.GatKQ)
define(4, 'required', false, Opcode.Touch)
define(8, 'required', true, Opcode.Set, Opcode.SetQ)
define(8, 'required', true, Opcode.Add, Opcode.AddQ)
define(8, 'required', true, Opcode.Replace, Opcode.ReplaceQ)
define(0, 'required', true, Opcode.Append, Opcode.AppendQ)
define(0, 'required', true, Opcode.Prepend, Opcode.PrependQ)
define(0, 'required', false, Opcode.Delete, Opcode.DeleteQ)
define(20, 'required', false, Opcode.Increment, Opcode.IncrementQ)
define(20, 'required', false, Opcode.Decrement, Opcode.DecrementQ)
define(4, 'none', false, Opcode.Flush, Opcode.FlushQ)
define(0, 'none', false, Opcode.Quit, Opcode.QuitQ)
define(0, 'none', false, Opcode.Noop)
define(0, 'none', false, Opcode.Version)
define(4, 'none', false, Opcode.Verbosity)
define(0, 'any', false, Opcode.Stat)
define(0, 'none', false, Opcode.SaslList)
define(0, 'required', true, Opcode.SaslAuth)
define(0, 'required', true, Opcode.SaslStep)

export function isShaped(frame: Frame, shape: Shape): boolean {
  const { extrasLength, keyLength, valueLength } = frame
  const bareFlush = extrasLength === 0 && shape.command === Opcode.Flush
  if (extrasLength !== shape.extras && !bareFlush) return false
  if (keyLength === 0 ? shape.key === 'required' : shape.key === 'none') return false
  return valueLength === 0 || shape.hasValue
}
