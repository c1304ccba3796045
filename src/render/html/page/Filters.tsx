/** The filters of the page. */
import type { Ref } from "preact"
import { choices, everything, type Filter } from "./Model.ts"

const Choice = ({ all, label, list, onChange, value }: {
  readonly label: string
  readonly all: string
  readonly list: ReadonlyArray<string>
  readonly value: string
  readonly onChange: (value: string) => void
}) => (
  <label>
    <span>{label}</span>
    <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
      <option value="">{all}</option>
      {list.map((name) => <option key={name} value={name}>{name}</option>)}
    </select>
  </label>
)

const Moment = ({ label, onChange, value }: {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
}) => (
  <label class="moment">
    <span>{label}</span>
    <input
      type="datetime-local"
      step="1"
      value={value}
      onInput={({ currentTarget }) => onChange(currentTarget.value)}
    />
  </label>
)

export const Filters = ({ filter, onChange, search }: {
  readonly filter: Filter
  readonly onChange: (filter: Filter) => void
  readonly search: Ref<HTMLInputElement>
}) => {
  const change = (name: keyof Filter) => (value: string) => onChange({ ...filter, [name]: value })
  const isFiltered = Object.keys(everything).some((name) =>
    filter[name as keyof Filter] !== everything[name as keyof Filter]
  )
  return (
    <form class="filters" role="search" aria-label="Operations" onSubmit={(event) => event.preventDefault()}>
      <label class="text">
        <span>Search</span>
        <input
          ref={search}
          type="search"
          placeholder="any text of the records"
          value={filter.text}
          onInput={({ currentTarget }) => change("text")(currentTarget.value)}
        />
      </label>
      <Choice label="Network" all="all" list={choices.networks} value={filter.network} onChange={change("network")} />
      <Choice label="Verb" all="all" list={choices.verbs} value={filter.verb} onChange={change("verb")} />
      <Choice label="Plugin" all="all" list={choices.plugins} value={filter.plugin} onChange={change("plugin")} />
      <Moment label="Since" value={filter.since} onChange={change("since")} />
      <Moment label="Until" value={filter.until} onChange={change("until")} />
      <label class="failed">
        <input
          type="checkbox"
          checked={filter.failed}
          onChange={({ currentTarget }) => onChange({ ...filter, failed: currentTarget.checked })}
        />
        <span>Failed only</span>
      </label>
      <button type="button" disabled={!isFiltered} onClick={() => onChange(everything)}>Clear</button>
    </form>
  )
}
