/** The operations of a log that is followed, each once and when it is complete, with what looks like a secret masked. */
import { FollowedOperations, type Piece } from "../operations/FollowedOperations.ts"
import type { Operation } from "../operations/Operation.ts"
import type { Record } from "../record/Record.ts"
import * as Secrets from "../record/Secrets.ts"

const whole = (pieces: ReadonlyArray<Piece>): ReadonlyArray<Operation> =>
  pieces.flatMap(({ _tag, operation }) => _tag === "Foot" ? [operation] : [])

export class ExportedOperations {
  private readonly following: FollowedOperations

  constructor(isWanted: (operation: Operation) => boolean = () => true) {
    this.following = new FollowedOperations(isWanted)
  }

  add(record: Record, now: number): void {
    this.following.add(Secrets.inRecord(record), now)
  }

  due(now: number): ReadonlyArray<Operation> {
    return whole(this.following.due(now))
  }

  rest(): ReadonlyArray<Operation> {
    return whole(this.following.rest())
  }
}
