/** Display names of containers and attachments. Commands need whole identifiers. */

/** A container, with its pod if that is known. */
export interface Container {
  readonly containerId: string
  /** `shop/web`, or `web` without a namespace. */
  readonly pod?: string | undefined
}

/** `shop/web (c888ea18abcd)`, or the identifier alone. The 64 digits of a runtime's own identifier are shortened. */
export const container = ({ containerId, pod }: Container): string => {
  const id = /^[0-9a-f]{64}$/.test(containerId) ? containerId.slice(0, 12) : containerId
  return pod === undefined || pod === containerId ? id : `${pod} (${id})`
}

/** `eth0 of shop/web (c888ea18abcd)` */
export const attachment = (one: Container & { readonly ifname: string }): string => `${one.ifname} of ${container(one)}`
