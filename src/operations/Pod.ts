/** The pod that an operation is for. */

/** The value of a key in CNI_ARGS. */
export const argument = (args: string, key: string): string | undefined =>
  args.split(";").find((pair) => pair.startsWith(`${key}=`))?.slice(key.length + 1)

/** NAMESPACE/NAME, from the variables that Kubernetes' runtimes set in CNI_ARGS; undefined if no pod is named. */
export const of = (args: string): string | undefined => {
  const name = argument(args, "K8S_POD_NAME")
  const namespace = argument(args, "K8S_POD_NAMESPACE")
  return !name ? undefined : namespace ? `${namespace}/${name}` : name
}

/** Whether a pod is the one that is called NAME or NAMESPACE/NAME. */
export const is = (pod: string | undefined, asked: string): boolean =>
  pod !== undefined && (asked.includes("/") ? pod === asked : pod.split("/").at(-1) === asked)
