// The JSON of a board, made with Grafana's own builders.
import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  type Dashboard,
  type DataSourceRef,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { LegendDisplayMode, LegendPlacement, VizLegendOptionsBuilder } from '@grafana/grafana-foundation-sdk/common'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline'
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import type { BoardSpec, PanelSpec } from './panel.ts'

const SOURCE: DataSourceRef = { type: 'prometheus', uid: '${datasource}' }
const HEIGHT = 8

export function buildBoard({ uid, title, about, variable, rows }: BoardSpec): Dashboard {
  const board = new DashboardBuilder(title)
    .uid(uid)
    .description(about)
    .tags(['runyard'])
    .editable()
    .refresh('30s')
    .time({ from: 'now-6h', to: 'now' })
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
  if (variable !== undefined) {
    const { name, label, query } = variable
    board.withVariable(
      new QueryVariableBuilder(name).label(label).query(query).datasource(SOURCE).refresh(VariableRefresh.OnTimeRangeChanged),
    )
  }
  let id = 0
  for (const [row, panels] of rows) {
    board.withRow(new RowBuilder(row).id((id += 1)))
    for (const panel of panels) board.withPanel(buildPanel(panel, (id += 1)))
  }
  return board.build()
}

const legend = () => new VizLegendOptionsBuilder().displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom).showLegend(true)

const VIEWS = {
  graph: () => new TimeSeriesBuilder().legend(legend()),
  states: () => new StateTimelineBuilder().legend(legend()),
  stat: () => new StatBuilder(),
} as const

function buildPanel({ title, about, unit, queries, kind = 'graph', width = 8 }: PanelSpec, id: number): Builder<Panel> {
  const panel = VIEWS[kind]().id(id).title(title).description(about).unit(unit).datasource(SOURCE).span(width).height(HEIGHT)
  for (const [at, [expr, legendFormat]] of queries.entries()) {
    const query = new DataqueryBuilder()
      .refId(String.fromCodePoint(65 + at))
      .expr(expr)
      .legendFormat(legendFormat)
      .datasource(SOURCE)
    panel.withTarget(kind === 'stat' ? query.instant() : query.range())
  }
  return panel
}
