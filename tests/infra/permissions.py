"""Who may do what: least privilege, no keys, no way in from outside but behind Entra authentication."""

import re

from infra.sources import SERVICES, Rule, Sources, broken, given, service, templates
from infra.template import Declaration, Template, at, literal, parse

_MAIN = "infra/main.bicep"
_ENVIRONMENT, _MONITORING, _NETWORK, _REGISTRY, _ROLES, _SCHEDULER = (
    f"infra/modules/{name}.bicep"
    for name in ("environment", "monitoring", "network", "registry", "roles", "scheduler")
)
_ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
ROLE_NAMES = {
    "80d0d6b0-f522-40a4-8886-a5a11720c375": "Durable Task Worker",
    "0ad04412-c4d5-4796-b79c-f76d14c8d402": "Durable Task Data Contributor",
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}
# Principal, role, the one resource that it is granted on: all there is.
GRANTED = {
    ("workerPrincipalId", "Durable Task Worker", "hub"),
    ("clientPrincipalId", "Durable Task Data Contributor", "hub"),
    ("developerPrincipalId", "Durable Task Data Contributor", "hub"),
    ("workerPrincipalId", "AcrPull", "registry"),
    ("clientPrincipalId", "AcrPull", "registry"),
    ("workerPrincipalId", "Monitoring Metrics Publisher", "applicationInsights"),
    ("clientPrincipalId", "Monitoring Metrics Publisher", "applicationInsights"),
}
_OFF = "takes other than Entra identities"
_LOCAL_AUTHENTICATION: list[Rule] = [
    (_REGISTRY, "registry.properties.adminUserEnabled", "false", _OFF),
    (_REGISTRY, "registry.properties.anonymousPullEnabled", "false", _OFF),
    (_MONITORING, "workspace.properties.features.disableLocalAuth", "true", _OFF),
    (_MONITORING, "applicationInsights.properties.DisableLocalAuth", "true", _OFF),
    (_ENVIRONMENT, "appsEnvironment.properties.appLogsConfiguration.destination", "'azure-monitor'", _OFF),
]
_UNASKED = "is made without private networking"
_CLOSING: list[Rule] = [
    (_MAIN, "privateNetworking", "false", "private networking is not off by default"),
    (
        _MAIN,
        "scheduler.params.publicNetworkAccess",
        "privateNetworking ? 'Disabled' : 'Enabled'",
        "the public endpoint stays open beside the private one",
    ),
    (
        _MAIN,
        "scheduler.params.ipAllowlist",
        "map(split(ipAllowlist, ','), address => trim(address))",
        "the allow-list does not come from the parameter",
    ),
    (_SCHEDULER, "scheduler.properties.ipAllowlist", "ipAllowlist", "the allow-list is not the parameter"),
    (_SCHEDULER, "scheduler.properties.publicNetworkAccess", "publicNetworkAccess", "access is not the parameter"),
    *(
        (_NETWORK, f"{each}.if", "(privateNetworking)", _UNASKED)
        for each in ("privateEndpoint", "dnsZone", "dnsLink", "dnsRecords")
    ),
]
_KEYS = re.compile(
    r"\blist\w*(Keys|Credentials|Secrets|Sas)\w*\(|\bsharedKey\b|\bpasswordSecretRef\b|@secure\(|AccountKey=",
    re.IGNORECASE,
)
_SECRET = re.compile(r"key|secret|password|connectionstring|credential|token", re.IGNORECASE)


def roles_are_the_fewest(sources: Sources) -> list[str]:
    """Exactly the grants of the table above, all of them in roles.bicep, none on more than one resource."""
    elsewhere = [
        f"{path}: grants a role; roles.bicep is the place for it"
        for path, template in templates(sources)
        if path != _ROLES and any(template.deployed(_ASSIGNMENT))
    ]
    roles = parse(sources[_ROLES])
    found = {_grant(roles, assignment) for _, assignment in roles.deployed(_ASSIGNMENT)}
    return [
        *elsewhere,
        *(f"{_ROLES}: grants {grant}, which nobody needs" for grant in sorted(found - GRANTED)),
        *(f"{_ROLES}: does not grant {grant}" for grant in sorted(GRANTED - found)),
    ]


def _grant(roles: Template, assignment: Declaration) -> tuple[str, str, str]:
    role = roles.variables.get(str(assignment.at("properties.roleDefinitionId")), "")
    ids = re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(role))
    name = ROLE_NAMES.get(ids[0], ids[0]) if ids else "no role"
    scope = assignment.at("scope")
    return str(assignment.at("properties.principalId")), name, str(scope or "the resource group")


def role_assignments_are_named_by_what_they_say(sources: Sources) -> list[str]:
    """By scope, principal and role: a repeated deployment finds them, a new principal gets new ones."""
    found = []
    for symbol, assignment in parse(sources[_ROLES]).deployed(_ASSIGNMENT):
        properties = assignment.body.get("properties")
        parts = [f"{assignment.at('scope')}.id", at(properties, "principalId"), at(properties, "roleDefinitionId")]
        if assignment.at("name") != f"guid({', '.join(map(str, parts))})":
            found.append(f"{_ROLES}: {symbol} should be named guid({', '.join(map(str, parts))})")
    return found


def no_keys_anywhere(sources: Sources) -> list[str]:
    """No key is read, none is a parameter; the apps' only `secrets` entry is an id."""
    found = [
        f"{path}: {match[0]}"
        for path, text in sources.items()
        if path.startswith("infra/")
        for match in _KEYS.finditer(text)
    ]
    for path, template in templates(sources):
        found += [f"{path}: output {name} may be a secret" for name in template.outputs if _SECRET.search(name)]
        for name, value in template.variables.items():
            values = [at(item, "value") for item in value] if isinstance(value, list) else []
            if name.endswith("Entry") and values != ["identity.properties.clientId"]:
                found.append(f"{path}: {name} holds {values}, not the identity's id")
    return found + _secrets(sources)


def _secrets(sources: Sources) -> list[str]:
    held = {name: _app(sources, name).at("properties.configuration.secrets") for name in SERVICES}
    allowed = {"worker": None, "client-scheduler": "signIn ? federatedSignInEntry : []"}
    return [f"infra/{name}.bicep: holds secrets: {held[name]}" for name in SERVICES if held[name] != allowed[name]]


def local_authentication_is_off(sources: Sources) -> list[str]:
    """Registry, workspace, Application Insights and environment take Entra identities only."""
    return broken(sources, _LOCAL_AUTHENTICATION)


def each_app_has_its_own_identity(sources: Sources) -> list[str]:
    """One identity each, user-assigned, that also pulls the image."""
    found = []
    for name in SERVICES:
        app = _app(sources, name)
        assigned = app.at("identity.userAssignedIdentities")
        if literal(app.at("identity.type")) != "UserAssigned" or assigned != {"${identity.id}": {}}:
            found.append(f"infra/{name}.bicep: the app's identities are {assigned}")
        if app.at("properties.configuration.registries.0.identity") != "identity.id":
            found.append(f"infra/{name}.bicep: the image is not pulled with the app's identity")
    names = [given(sources, name)["identityName"] for name in SERVICES]
    return found + ([f"infra: both apps run as {names[0]}"] if len(set(names)) < len(names) else [])


def nothing_is_open_without_sign_in(sources: Sources) -> list[str]:
    """The worker takes no requests; the client takes them from outside only where Entra authentication is set."""
    client, path = service(sources, "client-scheduler"), "infra/client-scheduler.bicep"
    found = []
    if _app(sources, "worker").at("properties.configuration.ingress") is not None:
        found.append("infra/worker.bicep: the worker has ingress")
    ingress = _app(sources, "client-scheduler").at("properties.configuration.ingress")
    if client.variables.get("signIn") != "!empty(entraClientId)" or at(ingress, "external") != "signIn":
        found.append(f"{path}: ingress is external without sign-in")
    if at(ingress, "allowInsecure") != "false":
        found.append(f"{path}: takes requests in clear")
    return found + [f"{path}: {problem}" for problem in _sign_in(client)]


def _sign_in(client: Template) -> list[str]:
    settings = list(client.deployed("Microsoft.App/containerApps/authConfigs"))
    if [(each.condition, literal(each.at("name")), each.at("parent")) for _, each in settings] != [
        ("(signIn)", "current", "client")
    ]:
        return ["Entra authentication is not set on the app exactly where its ingress is external"]
    _, setting = settings[0]
    action = literal(setting.at("properties.globalValidation.unauthenticatedClientAction"))
    registration = setting.at("properties.identityProviders.azureActiveDirectory.registration")
    wrong = []
    if setting.at("properties.platform.enabled") != "true" or action not in {"RedirectToLoginPage", "Return401"}:
        wrong.append(f"who has not signed in is let through ({action})")
    if at(registration, "clientId") != "entraClientId":
        wrong.append("sign-in is with another app registration than the one given")
    return wrong


def _app(sources: Sources, name: str) -> Declaration:
    return next(app for _, app in service(sources, name).deployed("Microsoft.App/containerApps"))


def the_scheduler_can_be_closed(sources: Sources) -> list[str]:
    """Allow-list and private endpoint are options that reach the scheduler; the endpoint is off at first."""
    return broken(sources, _CLOSING)
