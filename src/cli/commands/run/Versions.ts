/** Operations that not all versions of the specification have. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
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

/** Fails where the version of a network does not have an operation. */
export const requireVersion = (verb: Verb, { cniVersion }: NetworkConfigList) =>
  CniVersion.isAtLeast(cniVersion, verbs[verb].since)
    ? Effect.void
    : Effect.fail(new OperationMissing({ verb, cniVersion }))
