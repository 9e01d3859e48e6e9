"""Identity providers of IAM.

Restored: their clients and tags can be changed (ministack knows neither call), and the address is told without
its scheme.
"""

from ministack.services import iam


def install():
    handlers = iam._IAM_HANDLERS
    handlers["CreateOpenIDConnectProvider"] = _without_scheme(handlers["CreateOpenIDConnectProvider"])
    for name, change in _CHANGES.items():
        handlers[name] = _of_a_known_one(name, change)
    handlers["ListOpenIDConnectProviderTags"] = _of_a_known_one("ListOpenIDConnectProviderTags", _tags)


def _without_scheme(create):
    def create_provider(params):
        answer = create(params)
        for provider in iam._oidc_providers.values():
            provider["Url"] = provider["Url"].removeprefix("https://")
        return answer

    return create_provider


def _of_a_known_one(name, handle):
    def handled(params):
        arn = iam._p(params, "OpenIDConnectProviderArn")
        provider = iam._oidc_providers.get(arn)
        if provider is None:
            return iam._error(404, "NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", ns="iam")
        result = handle(provider, params) or ""
        return iam._xml(200, f"{name}Response", result and f"<{name}Result>{result}</{name}Result>", ns="iam")

    return handled


def _members(params, prefix):
    return [value[0] if isinstance(value, list) else value for name, value in params.items() if name.startswith(f"{prefix}.member.")]


def _add_client(provider, params):
    client = iam._p(params, "ClientID")
    provider["ClientIDList"] = [it for it in provider["ClientIDList"] if it != client] + [client]


def _remove_client(provider, params):
    provider["ClientIDList"] = [it for it in provider["ClientIDList"] if it != iam._p(params, "ClientID")]


def _set_thumbprints(provider, params):
    provider["ThumbprintList"] = _members(params, "ThumbprintList")


def _tag(provider, params):
    tags = {tag["Key"]: tag for tag in [*provider["Tags"], *iam._extract_tags(params)]}
    provider["Tags"] = list(tags.values())


def _untag(provider, params):
    gone = _members(params, "TagKeys")
    provider["Tags"] = [tag for tag in provider["Tags"] if tag["Key"] not in gone]


def _tags(provider, _params):
    members = (f"<member><Key>{tag['Key']}</Key><Value>{tag['Value']}</Value></member>" for tag in provider["Tags"])
    return f"<Tags>{''.join(members)}</Tags><IsTruncated>false</IsTruncated>"


_CHANGES = {
    "AddClientIDToOpenIDConnectProvider": _add_client,
    "RemoveClientIDFromOpenIDConnectProvider": _remove_client,
    "UpdateOpenIDConnectProviderThumbprint": _set_thumbprints,
    "TagOpenIDConnectProvider": _tag,
    "UntagOpenIDConnectProvider": _untag,
}
