metadata description = 'The Durable Task Scheduler, its one task hub, and how long ended monitors are kept.'

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Name of the scheduler.')
param schedulerName string

@description('Name of the task hub.')
param taskHubName string

@description('Three dedicated capacity units, which make it zone-redundant; else pay per action.')
param dedicated bool

@description('Days after which an ended monitor is purged.')
param retentionDays int

@description('Addresses that may connect: IPv4, IPv6 or CIDR. An empty list denies all.')
param ipAllowlist string[]

@description('Enabled or Disabled: whether the public endpoint answers.')
param publicNetworkAccess string

@description('Log Analytics workspace that takes logs and metrics.')
param workspaceId string

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' = {
  name: schedulerName
  location: location
  tags: tags
  properties: {
    // Capacity is an error on Consumption; zone redundancy takes three units.
    sku: dedicated ? { name: 'Dedicated', capacity: 3 } : { name: 'Consumption' }
    ipAllowlist: ipAllowlist
    publicNetworkAccess: publicNetworkAccess
  }
}

resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2026-02-01' = {
  parent: scheduler
  name: taskHubName
  properties: {}
}

resource retention 'Microsoft.DurableTask/schedulers/retentionPolicies@2026-02-01' = {
  parent: scheduler
  name: 'default'
  properties: {
    retentionPolicies: [
      {
        retentionPeriodInDays: retentionDays
      }
    ]
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: scheduler
  name: 'to-log-analytics'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'allLogs'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the scheduler.')
output schedulerId string = scheduler.id

@description('Name of the scheduler.')
output schedulerName string = scheduler.name

@description('Where workers and clients connect to.')
output endpoint string = scheduler.properties.endpoint

@description('Name of the task hub.')
output taskHubName string = hub.name

@description('The task hub in the scheduler\'s dashboard.')
output dashboardUrl string = hub.properties.dashboardUrl
