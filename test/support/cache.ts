/** Files as libcni keeps them of attachments. */
import * as Fs from "node:fs"

/** Writes the file of an attachment to a network whose chain has plugins of these types. */
export const cached = (
  folder: string,
  { containerId, network, types }: {
    readonly network: string
    readonly containerId: string
    readonly types: ReadonlyArray<string>
  }
): void => {
  const config = JSON.stringify({ cniVersion: "1.0.0", name: network, plugins: types.map((type) => ({ type })) })
  Fs.mkdirSync(`${folder}/results`, { recursive: true })
  Fs.writeFileSync(
    `${folder}/results/${network}-${containerId}-eth0`,
    JSON.stringify({
      kind: "cniCacheV1",
      containerId,
      config: Buffer.from(config).toString("base64"),
      ifName: "eth0",
      networkName: network,
      netns: `/run/netns/${containerId}`,
      result: { cniVersion: "1.0.0" }
    })
  )
}
