/** Whether the holders of addresses still exist. */
import * as Effect from "effect/Effect"
import * as Cidr from "../../network/Cidr.ts"
import type * as Attachment from "./Attachment.ts"
import * as ContainerProcesses from "./ContainerProcesses.ts"
import type { Judged, Reservation } from "./HostLocalStore.ts"
import type * as LiveNamespaces from "./LiveNamespaces.ts"

/** Judges of each reservation whether its holder still exists. */
export const all = Effect.fnUntraced(function*(
  network: string,
  reservations: ReadonlyArray<Reservation>,
  processes: ReadonlyArray<ContainerProcesses.ContainerProcess>,
  attachments: ReadonlyArray<Attachment.AttachmentId & Partial<Pick<Attachment.Attachment, "sight">>>,
  namespaces: ReturnType<typeof LiveNamespaces.namespaces>
) {
  const open: Array<Reservation> = []
  const judged: Array<Judged> = []
  for (const reservation of reservations) {
    const { containerId, ifname } = reservation
    const own = attachments.filter((each) =>
      each.network === network && each.containerId === containerId && (ifname === "" || each.ifname === ifname)
    )
    const present = own.find(({ sight }) => sight !== undefined && sight._tag !== "Missing" && sight._tag !== "Unseen")
    if (present === undefined) open.push(reservation)
    else judged.push({ ...reservation, isGone: false, reason: `${present.netns} is there` })
  }
  if (open.length === 0) return judged as ReadonlyArray<Judged>
  // The rest may still be in use: by runtimes that keep no results, or by attachments whose results lack a namespace.
  const { blind, networks, unread } = yield* namespaces
  const used = new Set(
    networks.flatMap(({ links }) => links).flatMap(({ addresses }) => addresses).map(Cidr.addressText)
  )
  for (const reservation of open) {
    const address = Cidr.parseAddress(reservation.address)
    const isUsed = address !== undefined && used.has(Cidr.addressText(address))
    const own = attachments.find((each) => each.network === network && each.containerId === reservation.containerId)
    const process = ContainerProcesses.of(processes, reservation.containerId)
    const itself = unread.find(({ containerId }) => containerId === reservation.containerId)
    judged.push(
      isUsed
        ? { ...reservation, isGone: false, reason: "a namespace has the address" }
        : itself !== undefined
        ? { ...reservation, isGone: false, reason: `its namespace cannot be inspected: ${itself.reason}` }
        : blind !== undefined
        ? { ...reservation, isGone: false, reason: `not all namespaces can be seen: ${blind}`, unknown: blind }
        : process !== undefined
        ? { ...reservation, isGone: false, reason: ContainerProcesses.inWords(process), process }
        : {
          ...reservation,
          isGone: true,
          reason: own === undefined
            ? "no result in the cache, no process of it, and no namespace has the address"
            : own.sight?._tag === "Missing"
            ? `${own.netns} does not exist`
            : "no namespace has the address"
        }
    )
  }
  return judged as ReadonlyArray<Judged>
})
