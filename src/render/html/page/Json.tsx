/** A JSON document whose objects and lists can be folded. Its text and order are unchanged. */
import { useContext } from "preact/hooks"
import * as Blocks from "./Blocks.ts"
import { isFound, Marked, Search } from "./Search.tsx"

/** The result of earlier plugins stays folded until the user opens it. */
const isAside = ({ head }: Blocks.Block): boolean => /^ *"prevResult": /.test(head)

const textOf = (parts: ReadonlyArray<Blocks.Part>): string =>
  parts.map((part) => typeof part === "string" ? part : textOf(part.parts)).join("\n")

const BlockView = ({ block }: { readonly block: Blocks.Block }) => {
  const search = useContext(Search)
  return (
    <details class="block" open={!isAside(block) || isFound(textOf(block.parts), search)}>
      <summary>
        <Marked text={block.head} />
      </summary>
      <Parts parts={block.parts} />
      <Marked text={block.tail} />
    </details>
  )
}

const Parts = ({ parts }: { readonly parts: ReadonlyArray<Blocks.Part> }) => (
  <>
    {parts.map((part, at) =>
      typeof part === "string"
        ? (
          <div key={at}>
            <Marked text={part} />
          </div>
        )
        : <BlockView key={at} block={part} />
    )}
  </>
)

/** Draws an indented document. The outermost object does not fold, since the document itself does. */
export const Json = ({ text }: { readonly text: string }) => {
  const parts = Blocks.of(text)
  const [only] = parts
  if (parts.length !== 1 || only === undefined || typeof only === "string") return <Parts parts={parts} />
  return <Parts parts={[only.head, ...only.parts, only.tail]} />
}
