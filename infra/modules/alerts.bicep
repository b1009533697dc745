metadata description = 'Alerts: on what the scheduler measures, and on what the apps report. What to do is in docs/operate.md.'

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Name of the action group.')
param actionGroupName string

@description('Who gets an e-mail; empty: alerts are shown in the portal only.')
param email string

@description('Resource id of the scheduler.')
param schedulerId string

@description('Log Analytics workspace that is asked.')
param workspaceId string

@description('Work items of one kind that wait, on average over 15 minutes.')
param backlog int

@description('Per cent of the monitors ended within an hour whose verdict is Error.')
param errorPercent int

@description('Seconds that the 95th percentile of checks is late, for 15 minutes.')
param latenessSeconds int

@description('GB that the scheduler holds.')
param dataGb int

// A start, an event and a timer wait as an orchestration, a turn as an activity. A metric alert takes conditions that
// all hold, so each kind has its own.
var kindsOfWork = [
  'Orchestrator'
  'Activity'
]
var schedulers = 'Microsoft.DurableTask/schedulers'
var notified = !empty(email)
var logRules = [
  {
    // A metric alert says nothing where a metric has no value, as ConnectedWorkers may have none with no worker.
    name: 'no-worker'
    description: 'Work waits and no worker is connected.'
    severity: 1
    query: loadTextContent('../queries/no-worker.kql')
    column: 'Waiting'
    threshold: 0
    window: 'PT5M'
    periods: 2
  }
  {
    name: 'error-verdicts'
    description: 'Monitors end at Error: their checks are broken, not what they wait for.'
    severity: 2
    query: loadTextContent('../queries/error-verdicts.kql')
    column: 'ErrorPercent'
    threshold: errorPercent
    window: 'PT1H'
    periods: 1
  }
  {
    name: 'lateness'
    description: 'Checks come late: the workers or the scheduler do not keep up.'
    severity: 2
    query: loadTextContent('../queries/lateness.kql')
    column: 'p95'
    threshold: latenessSeconds
    window: 'PT5M'
    periods: 3
  }
]

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = if (notified) {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'durable-mon'
    emailReceivers: [
      {
        name: 'operator'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource longBacklog 'Microsoft.Insights/metricAlerts@2018-03-01' = [for kind in kindsOfWork: {
  name: 'backlog-${toLower(kind)}'
  location: 'global'
  tags: tags
  properties: {
    description: 'More work waits than the workers take.'
    severity: 2
    enabled: true
    autoMitigate: true
    scopes: [
      schedulerId
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'waiting'
          metricNamespace: schedulers
          metricName: '${kind}PendingItems'
          timeAggregation: 'Average'
          operator: 'GreaterThan'
          threshold: backlog
          skipMetricValidation: true
        }
      ]
    }
    actions: notified ? [{ actionGroupId: actionGroup.id }] : []
  }
}]

resource muchData 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'data-in-scheduler'
  location: 'global'
  tags: tags
  properties: {
    description: 'The scheduler holds much data: ended monitors are kept for long, or there are many.'
    severity: 3
    enabled: true
    autoMitigate: true
    scopes: [
      schedulerId
    ]
    evaluationFrequency: 'PT1H'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'data'
          metricNamespace: schedulers
          metricName: 'DataUsedInBytes'
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: dataGb * 1000000000
          skipMetricValidation: true
        }
      ]
    }
    actions: notified ? [{ actionGroupId: actionGroup.id }] : []
  }
}

resource reported 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in logRules: {
  name: rule.name
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: rule.name
    description: rule.description
    severity: rule.severity
    enabled: true
    autoMitigate: true
    // The tables come into being with the first record.
    skipQueryValidation: true
    scopes: [
      workspaceId
    ]
    evaluationFrequency: 'PT5M'
    windowSize: rule.window
    criteria: {
      allOf: [
        {
          query: rule.query
          metricMeasureColumn: rule.column
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: rule.threshold
          failingPeriods: {
            numberOfEvaluationPeriods: rule.periods
            minFailingPeriodsToAlert: rule.periods
          }
        }
      ]
    }
    actions: {
      actionGroups: notified ? [actionGroup.id] : []
    }
  }
}]

@description('Resource id of the action group; empty: there is none.')
output actionGroupId string = notified ? actionGroup.id : ''
