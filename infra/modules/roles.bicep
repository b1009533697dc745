metadata description = 'Every permission that this deployment grants, in one place; each on the one resource it is for.'

@description('Name of the scheduler.')
param schedulerName string

@description('Name of its task hub.')
param taskHubName string

@description('Name of the container registry.')
param registryName string

@description('Name of the Application Insights component.')
param applicationInsightsName string

@description('Object id of the worker\'s identity.')
param workerPrincipalId string

@description('Object id of the client-scheduler\'s identity.')
param clientPrincipalId string

@description('Object id of the developer; empty: none.')
param developerPrincipalId string

@description('User, Group or ServicePrincipal.')
param developerPrincipalType string

// The ids of built-in roles, the same in every tenant.
var roleDefinitions = 'Microsoft.Authorization/roleDefinitions'
var durableTaskWorker = subscriptionResourceId(roleDefinitions, '80d0d6b0-f522-40a4-8886-a5a11720c375')
var durableTaskDataContributor = subscriptionResourceId(roleDefinitions, '0ad04412-c4d5-4796-b79c-f76d14c8d402')
var acrPull = subscriptionResourceId(roleDefinitions, '7f951dda-4ed3-4680-a7ca-43fe172d538d')
var monitoringMetricsPublisher = subscriptionResourceId(roleDefinitions, '3913510d-42f4-4e42-8a64-420c390055eb')

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' existing = {
  name: schedulerName
}

resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2026-02-01' existing = {
  parent: scheduler
  name: taskHubName
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: registryName
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource workerRunsMonitors 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hub.id, workerPrincipalId, durableTaskWorker)
  scope: hub
  properties: {
    roleDefinitionId: durableTaskWorker
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource clientControlsMonitors 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hub.id, clientPrincipalId, durableTaskDataContributor)
  scope: hub
  properties: {
    roleDefinitionId: durableTaskDataContributor
    principalId: clientPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource developerControlsMonitors 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(developerPrincipalId)) {
  name: guid(hub.id, developerPrincipalId, durableTaskDataContributor)
  scope: hub
  properties: {
    roleDefinitionId: durableTaskDataContributor
    principalId: developerPrincipalId
    principalType: developerPrincipalType
  }
}

resource workerPullsImage 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, workerPrincipalId, acrPull)
  scope: registry
  properties: {
    roleDefinitionId: acrPull
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource clientPullsImage 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, clientPrincipalId, acrPull)
  scope: registry
  properties: {
    roleDefinitionId: acrPull
    principalId: clientPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource workerSendsTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(applicationInsights.id, workerPrincipalId, monitoringMetricsPublisher)
  scope: applicationInsights
  properties: {
    roleDefinitionId: monitoringMetricsPublisher
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource clientSendsTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(applicationInsights.id, clientPrincipalId, monitoringMetricsPublisher)
  scope: applicationInsights
  properties: {
    roleDefinitionId: monitoringMetricsPublisher
    principalId: clientPrincipalId
    principalType: 'ServicePrincipal'
  }
}
