/** Distant peers, which stand for the world. */
import * as Cidr from "../../network/Cidr.ts"

/** Ordinary public addresses, which are on no list of blocked networks. */
export const peers = { 4: Cidr.parseAddress("93.184.216.34"), 6: Cidr.parseAddress("2606:2800::1") } as const
