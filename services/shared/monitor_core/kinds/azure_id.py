"""Resource ids of Azure: what is one, and of which type the resource is."""

from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator, Field

_NOT_IN_A_NAME: Final = frozenset("\\?#%<>")
_FORM: Final = (
    "should be a resource id, /subscriptions/ID/resourceGroups/GROUP/providers/NAMESPACE/TYPE/NAME say, "
    "as `az resource show --query id` prints it"
)


class ResourceType(NamedTuple):
    """What kind of resource an id is of."""

    subscription: str
    namespace: str
    """Of the provider: Microsoft.Sql, say."""
    type: str
    """Within it: servers/databases, say."""


def type_of(resource_id: str) -> ResourceType:
    """The type of the resource that an id names: for an extension resource the extension's.

    Raises:
        ValueError: it is no id of a subscription, a resource group or a resource in one.
    """
    names = resource_id.split("/")
    if names[0] or not all(map(_is_name, names[1:])) or len(names) % 2 == 0:
        raise ValueError(_FORM)
    pairs = list(zip(names[1::2], names[2::2], strict=True))
    if not pairs or pairs[0][0].lower() != "subscriptions":
        raise ValueError(_FORM)
    return _walked(pairs[0][1], pairs[1:])


def _walked(subscription: str, pairs: list[tuple[str, str]]) -> ResourceType:
    namespace, types = "Microsoft.Resources", ["subscriptions"]
    if pairs and pairs[0][0].lower() == "resourcegroups":
        types, pairs = ["resourceGroups"], pairs[1:]
    if pairs and pairs[0][0].lower() != "providers":
        raise ValueError(_FORM)
    for kind, name in pairs:
        if kind.lower() != "providers":
            types.append(kind)
        elif types:
            namespace, types = name, []
        else:
            raise ValueError(_FORM)
    if not types:
        raise ValueError(_FORM)
    return ResourceType(subscription, namespace, "/".join(types))


def _is_name(text: str) -> bool:
    return (
        text.isprintable()
        and text.strip() == text
        and text not in {"", ".", ".."}
        and not (_NOT_IN_A_NAME & set(text))
    )


def _valid(resource_id: str) -> str:
    type_of(resource_id)
    return resource_id


ResourceId = Annotated[str, Field(max_length=2048), AfterValidator(_valid)]
