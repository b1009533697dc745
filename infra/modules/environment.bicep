metadata description = 'The Container Apps environment. Its logs go through Azure Monitor, so it holds no workspace key.'

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Name of the environment.')
param environmentName string

@description('Subnet that the apps run in; empty: none.')
param subnetId string

@description('Whether apps are reachable from the virtual network only.')
param internal bool

@description('Spread replicas over zones; takes a subnet.')
param zoneRedundant bool

@description('Log Analytics workspace that takes logs and metrics.')
param workspaceId string

resource appsEnvironment 'Microsoft.App/managedEnvironments@2026-01-01' = {
  name: environmentName
  location: location
  tags: tags
  properties: {
    appLogsConfiguration: {
      destination: 'azure-monitor'
    }
    workloadProfiles: [
      {
        name: 'Consumption'
        workloadProfileType: 'Consumption'
      }
    ]
    vnetConfiguration: empty(subnetId) ? null : { infrastructureSubnetId: subnetId, internal: internal }
    zoneRedundant: zoneRedundant
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: appsEnvironment
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

@description('Name of the environment.')
output environmentName string = appsEnvironment.name

@description('The domain that apps with external ingress are under.')
output defaultDomain string = appsEnvironment.properties.defaultDomain
