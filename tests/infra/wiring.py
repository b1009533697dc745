"""How the files hang together: parameters, azd's variables, outputs, azure.yaml, pipeline, documentation."""

import re
from pathlib import PurePosixPath

import yaml

from infra.sources import SERVICES, Sources, fill, given, service, variables
from infra.template import Template, literal, parse
from monitor_core.settings import WorkerSettings

_FILES = ("main", *SERVICES)
# What azd itself puts into its environment.
_AZD = {"AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_PRINCIPAL_ID", "AZURE_PRINCIPAL_TYPE", "AZURE_SUBSCRIPTION_ID"}
_AZD_READS = {"AZURE_RESOURCE_GROUP", "AZURE_TENANT_ID", "AZURE_CONTAINER_REGISTRY_ENDPOINT"}
_AZD_READS |= {"AZURE_CONTAINER_APPS_ENVIRONMENT_DEFAULT_DOMAIN"}
_PIPELINE = ".github/workflows/azure-dev.yml"


def _template(sources: Sources, name: str) -> Template:
    return parse(sources["infra/main.bicep"]) if name == "main" else service(sources, name)


def parameter_files_fit(sources: Sources) -> list[str]:
    """Each file gives what its template needs and nothing that it does not take."""
    found = []
    for name in _FILES:
        taken = _template(sources, name).parameters
        needed = {parameter for parameter, each in taken.items() if each.default is None}
        values = set(given(sources, name))
        found += [f"infra/{name}.parameters.json: does not give {each}" for each in sorted(needed - values)]
        found += [f"infra/{name}.parameters.json: {each} is no parameter" for each in sorted(values - set(taken))]
    return found


def defaults_agree(sources: Sources) -> list[str]:
    """A default that stands in two places is the same in both."""
    main, found = parse(sources["infra/main.bicep"]), []
    for name, value in given(sources, "main").items():
        default = main.parameters[name].default
        text = literal(default) if literal(default) is not None else default
        if variables([value]).keys() - _AZD and fill(value, {}) != text:
            found.append(f"infra/main.parameters.json: {name} is {fill(value, {})}, in main.bicep {text}")
    presets = {name: given(sources, name)["preset"] for name in _FILES}
    if len(set(presets.values())) > 1:
        found.append(f"infra: the preset's default differs: {presets}")
    for name, field in {"maxActivities": "max_activities", "maxOrchestrations": "max_orchestrations"}.items():
        value = fill(given(sources, "worker")[name], {})
        if value != str(WorkerSettings.model_fields[field].default):
            found.append(f"infra/worker.parameters.json: {name} is {value}, the worker's own default is not")
    return found


def every_variable_has_a_source(sources: Sources) -> list[str]:
    """What a parameter file names is made by azd or main.bicep, or is a setting of the user's: MONITOR_..."""
    outputs = set(parse(sources["infra/main.bicep"]).outputs)
    found = []
    for name in _FILES:
        image = f"SERVICE_{name.upper().replace('-', '_')}_IMAGE_NAME"
        known = _AZD | {image} | (set() if name == "main" else outputs)
        unknown = variables(given(sources, name).values()).keys() - known
        unknown = {variable for variable in unknown if not variable.startswith("MONITOR_")}
        found += [f"infra/{name}.parameters.json: nothing sets {variable}" for variable in sorted(unknown)]
    return found


def outputs_do_not_feed_back(sources: Sources) -> list[str]:
    """Outputs stay as azd's variables: one named as a setting would pin it at its first value for good."""
    outputs = {output for name in _FILES for output in _template(sources, name).outputs}
    fed = {variable for name in _FILES for variable in variables(given(sources, name).values())}
    settings = {variable for variable in fed if variable.startswith("MONITOR_")} | _AZD
    return [f"infra: output {name} is also a setting" for name in sorted(outputs & settings)]


def every_output_is_read(sources: Sources) -> list[str]:
    """By azd, by a service's parameters, by the hooks, or by whoever follows the documentation."""
    fed = {variable for name in SERVICES for variable in variables(given(sources, name).values())}
    told = sources["azure.yaml"] + sources["docs/deploy.md"]
    return [
        f"infra: nothing reads the output {output}"
        for name in _FILES
        for output in _template(sources, name).outputs
        if output not in fed | _AZD_READS and not re.search(rf"\b{output}\b", told)
    ]


def azure_yaml_names_what_is_there(sources: Sources) -> list[str]:
    """A service is a folder, an image built from services/, a Bicep file and its parameters."""
    document = yaml.safe_load(sources["azure.yaml"])
    found = [] if set(document["services"]) == set(SERVICES) else ["azure.yaml: the services are others"]
    for name, each in document["services"].items():
        project, docker = PurePosixPath(each["project"]), each.get("docker", {})
        rules = {
            f"project is not services/{name}": project == PurePosixPath("services", name),
            "host is not containerapp": each["host"] == "containerapp",
            "is not built in the registry": docker.get("remoteBuild") is True,
            "the build context is not services/": docker.get("context") == "..",
            "the Dockerfile is not the service's own": docker.get("path") == "./Dockerfile",
            f"there is no infra/{name}.bicep with parameters": {
                f"infra/{name}.bicep",
                f"infra/{name}.parameters.json",
            }
            <= set(sources),
        }
        found += [f"azure.yaml: {name}: {problem}" for problem, holds in rules.items() if not holds]
    return found


def azd_is_new_enough(sources: Sources) -> list[str]:
    """`azd exec`, which the hook prints, came with 1.25.1; a hook's output is shown since 1.25.3."""
    wanted = str(yaml.safe_load(sources["azure.yaml"]).get("requiredVersions", {}).get("azd", ""))
    numbers = [int(number) for number in re.findall(r"\d+", wanted)]
    return (
        [] if wanted.startswith(">=") and numbers >= [1, 25, 3] else [f"azure.yaml: azd may be {wanted or 'any'}"]
    )


def settings_reach_everyone(sources: Sources) -> list[str]:
    """What a user can set is documented, goes along with `azd pipeline config`, and is read in the pipeline."""
    document, pipeline = yaml.safe_load(sources["azure.yaml"]), yaml.safe_load(sources[_PIPELINE])
    fed = {variable for name in _FILES for variable in variables(given(sources, name).values())}
    settings = {variable for variable in fed if variable.startswith("MONITOR_")}
    places = {
        "docs/deploy.md": set(re.findall(r"`(MONITOR_\w+)`", sources["docs/deploy.md"])),
        "azure.yaml, pipeline.variables": set(document.get("pipeline", {}).get("variables", [])),
        _PIPELINE: {name for name in pipeline.get("env", {}) if name.startswith("MONITOR_")},
    }
    return [
        f"{place}: {name} is missing, or nothing reads it"
        for place, names in places.items()
        for name in sorted(names ^ settings)
    ]
