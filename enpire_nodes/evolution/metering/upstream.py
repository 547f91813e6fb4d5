"""The provider's side of the proxy: where it is, and which headers pass either way."""

from __future__ import annotations

import ipaddress
import logging
import re
from urllib.request import getproxies, proxy_bypass

from aiohttp import hdrs
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.metering.key import ModelKey, Redactor

_LOG = logging.getLogger(__name__)
#: What belongs to one connection (RFC 9110, 7.6.1), and what each side says for itself.
_HOP = {
    'connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection',
    'te', 'trailer', 'transfer-encoding', 'upgrade',
}  # fmt: skip
#: What a client may not say to the provider: its own idea of who it is.
_AUTH = {'authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'cookie'}
_REQUEST = _HOP | _AUTH | {'host', 'content-length', 'accept-encoding', 'expect', 'forwarded'}
_ANSWER = _HOP | {'content-encoding', 'set-cookie', 'alt-svc'}
_VERSION = re.compile(r'v\d+(?:(?:alpha|beta)\d*)?')


class Upstream:
    """A provider.

    :param url: ``http(s)://host[:port][/prefix]``; requests bring their own ``/v1``, which is left
        out where the prefix ends in a version itself.
    :raises StationError: SUPERVISOR_BAD_REQUEST; the address cannot be used.
    """

    def __init__(self, url: str, key: ModelKey | None) -> None:
        try:
            base = URL(url)
        except ValueError as error:
            raise _bad(url, str(error)) from error
        if base.scheme not in ('http', 'https') or not base.host:
            raise _bad(url, 'it must be https://host or http://host, with a path if there is one')
        if base.user or base.password or base.query_string or base.fragment:
            raise _bad(base.host, 'it may hold no password, query or fragment')
        self._key = key
        self.host = base.host
        self._prefix = base.raw_path.rstrip('/')
        self._origin = str(base.origin())
        self._versioned = bool(_VERSION.fullmatch(self._prefix.rpartition('/')[2]))
        self.proxy = None if _local(base.host) else _web_proxy(base)
        if key is not None and base.scheme == 'http' and not _local(base.host):
            _LOG.warning('the key goes to %s without encryption: its address is http', base.host)

    def url(self, path: str, query: str) -> URL:
        """Return where a request goes; ``path`` and ``query`` as they came, undecoded."""
        if self._versioned:
            path = path.removeprefix('/v1')
        return URL(
            f'{self._origin}{self._prefix}{path}' + (f'?{query}' if query else ''), encoded=True
        )

    def request_headers(self, given: CIMultiDictProxy[str], wire: str) -> CIMultiDict[str]:
        """Return the headers of a request as the provider gets them, the key among them."""
        headers = _passed(given, _REQUEST)
        headers[hdrs.ACCEPT_ENCODING] = 'identity'
        if self._key is not None:
            if wire == 'messages' or (not wire and 'anthropic-version' in headers):
                headers['x-api-key'] = self._key.reveal()
            else:
                headers[hdrs.AUTHORIZATION] = f'Bearer {self._key.reveal()}'
        return headers


def answer_headers(
    given: CIMultiDictProxy[str], redactor: Redactor, *, same_length: bool
) -> CIMultiDict[str]:
    """Return the headers of an answer as the client gets them.

    :param same_length: whether the body reaches the client as long as it came.
    """
    headers = _passed(given, _ANSWER if same_length else _ANSWER | {'content-length'})
    for name, value in list(headers.items()):
        if redactor.shows(value) or redactor.shows(name):
            headers.popall(name, None)
    return headers


def _passed(given: CIMultiDictProxy[str], dropped: set[str]) -> CIMultiDict[str]:
    named = {
        word.strip().lower()
        for value in given.getall(hdrs.CONNECTION, ())
        for word in value.split(',')
    }
    pairs = ((name, value) for name, value in given.items() if name.lower() not in dropped)
    return CIMultiDict((name, value) for name, value in pairs if name.lower() not in named)


def _local(host: str) -> bool:
    if host == 'localhost':
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _web_proxy(base: URL) -> str | None:
    """Return the proxy that the environment names for an address."""
    if proxy_bypass(base.host):
        return None
    return getproxies().get(base.scheme)


def _bad(url: str, words: str) -> StationError:
    return StationError(
        ErrorCode.SUPERVISOR_BAD_REQUEST, f'the address of the model provider, {url}: {words}'
    )
