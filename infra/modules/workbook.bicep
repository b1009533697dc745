metadata description = 'The workbook: what monitors do and how the system keeps up. Its queries are those of docs/operate.md.'

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Log Analytics workspace that is asked.')
param workspaceId string

@description('Application Insights component under which the workbook is listed.')
param applicationInsightsId string

@description('Actions a second that the scheduler takes at most, by its SKU.')
param actionLimit int

var text = [
  {
    type: 1
    name: 'what-this-is'
    content: {
      json: 'Durable Monitor. What each chart means, and what to do, is in docs/operate.md.'
    }
  }
]
var parameters = [
  {
    type: 9
    name: 'parameters'
    content: {
      version: 'KqlParameterItem/1.0'
      style: 'pills'
      parameters: [
        {
          id: guid('time_range')
          version: 'KqlParameterItem/1.0'
          name: 'time_range'
          label: 'Time'
          type: 4
          isRequired: true
          value: {
            durationMs: 86400000
          }
          typeSettings: {
            allowCustom: true
            selectableValues: [
              {
                durationMs: 3600000
              }
              {
                durationMs: 14400000
              }
              {
                durationMs: 86400000
              }
              {
                durationMs: 604800000
              }
              {
                durationMs: 2592000000
              }
            ]
          }
        }
        {
          id: guid('job_id')
          version: 'KqlParameterItem/1.0'
          name: 'job_id'
          label: 'Monitor (job_id)'
          type: 1
          value: ''
        }
        {
          id: guid('action_limit')
          version: 'KqlParameterItem/1.0'
          name: 'action_limit'
          type: 1
          isHiddenWhenLocked: true
          value: string(actionLimit)
        }
      ]
    }
  }
]
var charts = [
  {
    title: 'Verdicts, by kind of check'
    query: loadTextContent('../queries/verdicts.kql')
    shownAs: 'barchart'
  }
  {
    title: 'Lateness of checks, seconds'
    query: loadTextContent('../queries/lateness.kql')
    shownAs: 'timechart'
  }
  {
    title: 'Checks that failed, by kind and class of error'
    query: loadTextContent('../queries/errors.kql')
    shownAs: 'table'
  }
  {
    title: 'Checks a minute, by kind'
    query: loadTextContent('../queries/checks.kql')
    shownAs: 'timechart'
  }
  {
    title: 'Duration of checks, seconds, by kind'
    query: loadTextContent('../queries/check-duration.kql')
    shownAs: 'timechart'
  }
  {
    title: 'Turns, by how they end'
    query: loadTextContent('../queries/turns.kql')
    shownAs: 'barchart'
  }
  {
    title: 'Backlog and connected workers'
    query: loadTextContent('../queries/backlog.kql')
    shownAs: 'timechart'
  }
  {
    title: 'Actions a second, estimated, and what the SKU takes'
    query: loadTextContent('../queries/actions.kql')
    shownAs: 'timechart'
  }
  {
    title: 'Requests to the HTTP API, by status'
    query: loadTextContent('../queries/requests.kql')
    shownAs: 'table'
  }
  {
    title: 'Replicas'
    query: loadTextContent('../queries/replicas.kql')
    shownAs: 'timechart'
  }
  {
    title: 'Data in the scheduler, GB'
    query: loadTextContent('../queries/storage.kql')
    shownAs: 'timechart'
  }
  {
    title: 'Telemetry, GB a day'
    query: loadTextContent('../queries/telemetry-volume.kql')
    shownAs: 'barchart'
  }
  {
    title: 'One monitor, from its start to its verdict (give its job_id above)'
    query: loadTextContent('../queries/monitor.kql')
    shownAs: 'table'
  }
]
var items = [for chart in charts: {
  type: 3
  name: chart.title
  content: {
    version: 'KqlItem/1.0'
    title: chart.title
    query: chart.query
    visualization: chart.shownAs
    size: 0
    queryType: 0
    resourceType: 'microsoft.operationalinsights/workspaces'
    crossComponentResources: [
      workspaceId
    ]
    timeContextFromParameter: 'time_range'
  }
}]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'durable-monitor')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Durable Monitor'
    category: 'workbook'
    sourceId: applicationInsightsId
    serializedData: string({
      version: 'Notebook/1.0'
      items: concat(text, parameters, items)
    })
  }
}
