"""What holds for resources of every kind: tags, diagnostics, and what a preset makes of them."""

from infra.app_settings import app
from infra.sources import SERVICES, Rule, Sources, broken, templates
from infra.template import Declaration, Value, parse

_UNTAGGED = (
    "Microsoft.Authorization/",
    "Microsoft.Insights/diagnosticSettings",
    "Microsoft.DurableTask/schedulers/",
)
_MAIN, _SCHEDULER = "infra/main.bicep", "infra/modules/scheduler.bicep"
_SKU = "dedicated ? { name: 'Dedicated', capacity: 3 } : { name: 'Consumption' }"
_RETENTION = "retention.properties.retentionPolicies.0.retentionPeriodInDays"
_PRESETS: list[Rule] = [
    (_MAIN, "preset", "'development'", "the default is not development"),
    (_MAIN, "isProduction", "preset == 'production'", "production is something else"),
    (_MAIN, "scheduler.params.dedicated", "isProduction", "the scheduler is not dedicated in production"),
    (_MAIN, "appsEnvironment.params.zoneRedundant", "isProduction", "zones are not asked for in production"),
    (_MAIN, "network.if", "(inVirtualNetwork)", "zones without a network"),
    (_MAIN, "inVirtualNetwork", "isProduction || privateNetworking", "zones without a network"),
    (_SCHEDULER, "scheduler.properties.sku", _SKU, "the SKU does not follow"),
    (_SCHEDULER, _RETENTION, "retentionDays", "ended monitors are not purged"),
]


def resources_are_tagged(sources: Sources) -> list[str]:
    """What azd made it finds by azd-env-name, the apps by azd-service-name."""
    found = []
    for path, template in templates(sources):
        for symbol, resource in template.resources.items():
            untagged = resource.existing or "@" not in resource.of or resource.of.startswith(_UNTAGGED)
            if not untagged and not _inherits(resource.of) and not resource.at("tags"):
                found.append(f"{path}: {symbol} has no tags")
    if parse(sources["infra/main.bicep"]).variables.get("tags") != {"azd-env-name": "environmentName"}:
        found.append("infra/main.bicep: tags are not azd-env-name")
    return found + [
        f"infra/{name}.bicep: azd finds no app of service {name}"
        for name in SERVICES
        if app(sources, name).at("tags") != {"azd-env-name": "environmentName", "azd-service-name": f"'{name}'"}
    ]


def _inherits(of: str) -> bool:
    """Settings of another resource, which take no tags."""
    return of.partition("@")[0].endswith(("/authConfigs", "/privateDnsZoneGroups"))


def diagnostics_are_kept(sources: Sources) -> list[str]:
    """Scheduler, environment and registry send all logs and metrics to the workspace."""
    found = []
    for name in ("scheduler", "environment", "registry"):
        settings = list(
            parse(sources[f"infra/modules/{name}.bicep"]).deployed("Microsoft.Insights/diagnosticSettings")
        )
        kept = [_sends(setting) for _, setting in settings]
        if kept != [("workspaceId", "'allLogs'", "true", "'AllMetrics'", "true")]:
            found.append(f"infra/modules/{name}.bicep: not all logs and metrics go to the workspace")
    return found


def _sends(setting: Declaration) -> tuple[Value | None, ...]:
    paths = ("workspaceId", "logs.0.categoryGroup", "logs.0.enabled", "metrics.0.category", "metrics.0.enabled")
    return tuple(setting.at(f"properties.{path}") for path in paths)


def the_presets_are_what_they_say(sources: Sources) -> list[str]:
    """By default pay per action; in production three capacity units over zones, which takes a network."""
    return broken(sources, _PRESETS)
