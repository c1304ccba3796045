/** Peers far away, which stand for the world. */
import * as Cidr from "../../network/Cidr.ts"

/** Like anybody's addresses, and on no list of networks that nobody may come from. */
export const peers = { 4: Cidr.parseAddress("93.184.216.34"), 6: Cidr.parseAddress("2606:2800::1") } as const
