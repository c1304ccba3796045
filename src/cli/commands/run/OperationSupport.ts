/** Operations that only some versions of the specification have. */
import * as Data from "effect/Data"
import * as CniVersion from "../../../cni/CniVersion.ts"
import type { NetworkConfigList } from "../../../cni/NetworkConfigList.ts"
import { type Verb, verbs } from "../../../cni/Verb.ts"

/** The version of the network has no such operation. */
export class OperationMissing extends Data.TaggedError("OperationMissing")<{
  readonly verb: Verb
  readonly cniVersion: string
}> {
  override readonly message = `version ${this.cniVersion} has no ${this.verb}: it needs ${
    verbs[this.verb].since
  } or newer`
}

/** Why a network does not support an operation, or undefined if it does. */
export const missing = (verb: Verb, { cniVersion }: NetworkConfigList): OperationMissing | undefined =>
  CniVersion.isAtLeast(cniVersion, verbs[verb].since) ? undefined : new OperationMissing({ verb, cniVersion })
