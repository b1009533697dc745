// Everything but the two container apps: `azd deploy` makes those, from worker.bicep and client-scheduler.bicep,
// once there is an image to run. So no app ever runs a placeholder, and AcrPull is granted before the first pull.
targetScope = 'subscription'

metadata description = 'A Durable Task Scheduler with its hub, and what the worker and the client-scheduler run on.'

@description('The azd environment. Names the resource group; part of every other name, by a hash.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Azure region of every resource: one where Durable Task Scheduler is offered.')
@minLength(1)
param location string

@description('development: pay per action, one replica. production: three dedicated capacity units over zones, two replicas at least.')
@allowed([
  'development'
  'production'
])
param preset string = 'development'

@description('Name of the task hub that the monitors live in.')
@minLength(3)
@maxLength(64)
param taskHubName string = 'monitor'

@description('Days after which an ended monitor is purged. Consumption keeps at most 30.')
@minValue(1)
@maxValue(90)
param retentionDays int = 30

@description('Addresses that may reach the scheduler: IPv4, IPv6 or CIDR, comma-separated. Worker and client are among them.')
@minLength(1)
param ipAllowlist string = '0.0.0.0/0'

@description('Reach the scheduler through a private endpoint only, from a virtual network that the apps run in.')
param privateNetworking bool = false

@description('auto: alerts in production only, as they cost a little each. on, off: whatever the preset.')
@allowed([
  'auto'
  'on'
  'off'
])
param alerts string = 'auto'

@description('Who gets the alerts by e-mail; empty: they are shown in the portal only.')
param alertEmail string = ''

@description('Alert when so many work items of one kind wait, on average over 15 minutes.')
@minValue(1)
param alertBacklog int = 1000

@description('Alert when so many per cent of the monitors ended within an hour ended at Error.')
@minValue(0)
@maxValue(100)
param alertErrorPercent int = 20

@description('Alert when the 95th percentile of checks is so many seconds late, for 15 minutes.')
@minValue(1)
param alertLatenessSeconds int = 60

@description('Alert when the scheduler holds so many GB.')
@minValue(1)
param alertDataGb int = 10

@description('Object id of who deploys, who then may start and read monitors. Empty: nobody but the apps.')
param principalId string = ''

@description('What kind of principal that is.')
@allowed([
  'User'
  'Group'
  'ServicePrincipal'
])
param principalType string = 'User'

var abbreviations = loadJsonContent('abbreviations.json')
var resourceToken = toLower(uniqueString(subscription().id, environmentName, location))
var tags = {
  'azd-env-name': environmentName
}
var isProduction = preset == 'production'
// A zone-redundant environment has to be in a virtual network, as has one with a private endpoint.
var inVirtualNetwork = isProduction || privateNetworking
var withAlerts = alerts == 'on' || (alerts == 'auto' && isProduction)
// Actions a second of the SKU: 500 on Consumption, 2,000 for each of three dedicated units.
var actionLimit = isProduction ? 6000 : 500

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: '${abbreviations.resourcesResourceGroups}${environmentName}'
  location: location
  tags: tags
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    workspaceName: '${abbreviations.operationalInsightsWorkspaces}${resourceToken}'
    applicationInsightsName: '${abbreviations.insightsComponents}${resourceToken}'
    dailyCapGb: isProduction ? -1 : 1
  }
}

module identities 'modules/identities.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    workerIdentityName: '${abbreviations.managedIdentityUserAssignedIdentities}worker-${resourceToken}'
    clientIdentityName: '${abbreviations.managedIdentityUserAssignedIdentities}client-${resourceToken}'
  }
}

module scheduler 'modules/scheduler.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    schedulerName: '${abbreviations.durableTaskSchedulers}${resourceToken}'
    taskHubName: taskHubName
    dedicated: isProduction
    retentionDays: retentionDays
    ipAllowlist: map(split(ipAllowlist, ','), address => trim(address))
    publicNetworkAccess: privateNetworking ? 'Disabled' : 'Enabled'
    workspaceId: monitoring.outputs.workspaceId
  }
}

module registry 'modules/registry.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    registryName: '${abbreviations.containerRegistryRegistries}${resourceToken}'
    skuName: isProduction ? 'Standard' : 'Basic'
    workspaceId: monitoring.outputs.workspaceId
  }
}

module network 'modules/network.bicep' = if (inVirtualNetwork) {
  scope: group
  params: {
    location: location
    tags: tags
    virtualNetworkName: '${abbreviations.networkVirtualNetworks}${resourceToken}'
    privateEndpointName: '${abbreviations.networkPrivateEndpoints}${resourceToken}'
    privateNetworking: privateNetworking
    schedulerId: scheduler.outputs.schedulerId
  }
}

module appsEnvironment 'modules/environment.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    environmentName: '${abbreviations.appManagedEnvironments}${resourceToken}'
    subnetId: network.?outputs.appsSubnetId ?? ''
    internal: privateNetworking
    zoneRedundant: isProduction
    workspaceId: monitoring.outputs.workspaceId
  }
}

module roles 'modules/roles.bicep' = {
  scope: group
  params: {
    schedulerName: scheduler.outputs.schedulerName
    taskHubName: scheduler.outputs.taskHubName
    registryName: registry.outputs.registryName
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    workerPrincipalId: identities.outputs.workerPrincipalId
    clientPrincipalId: identities.outputs.clientPrincipalId
    developerPrincipalId: principalId
    developerPrincipalType: principalType
  }
}

module workbook 'modules/workbook.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    actionLimit: actionLimit
  }
}

module alerting 'modules/alerts.bicep' = if (withAlerts) {
  scope: group
  params: {
    location: location
    tags: tags
    actionGroupName: '${abbreviations.insightsActionGroups}${resourceToken}'
    email: alertEmail
    schedulerId: scheduler.outputs.schedulerId
    workspaceId: monitoring.outputs.workspaceId
    backlog: alertBacklog
    errorPercent: alertErrorPercent
    latenessSeconds: alertLatenessSeconds
    dataGb: alertDataGb
  }
}

// azd keeps the outputs in its environment, where the per-service parameters, `azd exec` and the hook find them.
@description('Where azd deploys the services to.')
output AZURE_RESOURCE_GROUP string = group.name

@description('The tenant that the developer signs in to.')
output AZURE_TENANT_ID string = tenant().tenantId

@description('Where azd builds and pushes the images.')
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = registry.outputs.loginServer

@description('The environment that the apps run in.')
output AZURE_CONTAINER_APPS_ENVIRONMENT_NAME string = appsEnvironment.outputs.environmentName

@description('The domain of that environment: an app with external ingress is <app>.<domain>.')
output AZURE_CONTAINER_APPS_ENVIRONMENT_DEFAULT_DOMAIN string = appsEnvironment.outputs.defaultDomain

@description('The scheduler, as worker.py and client.py read it.')
output ENDPOINT string = scheduler.outputs.endpoint

@description('The task hub, as worker.py and client.py read it.')
output TASKHUB string = scheduler.outputs.taskHubName

@description('Every monitor in the scheduler\'s own dashboard.')
output DASHBOARD_URL string = scheduler.outputs.dashboardUrl

@description('The identity of the worker.')
output WORKER_IDENTITY_NAME string = identities.outputs.workerIdentityName

@description('The identity of the client-scheduler.')
output CLIENT_IDENTITY_NAME string = identities.outputs.clientIdentityName

@description('The subject of the federated credential with which the client-scheduler signs users in.')
output CLIENT_IDENTITY_PRINCIPAL_ID string = identities.outputs.clientPrincipalId

@description('The component that the apps send telemetry to.')
output APPLICATION_INSIGHTS_NAME string = monitoring.outputs.applicationInsightsName

@description('The workspace that the worker\'s replicas are counted in.')
output LOG_ANALYTICS_WORKSPACE_NAME string = monitoring.outputs.workspaceName

@description('Who is told of the worker\'s alert; empty: nobody.')
output ALERT_ACTION_GROUP_ID string = alerting.?outputs.actionGroupId ?? ''
