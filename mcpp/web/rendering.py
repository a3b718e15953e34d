"""Pages out of templates: escaped, in the viewer's language, compressed, and under a strict policy."""

from __future__ import annotations

import gettext
import gzip
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from importlib.resources import files
from typing import Final, Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from mcpp import __version__
from mcpp.api.callers import caller_in
from mcpp.api.headers import PAGES
from mcpp.api.login_ways import login_in
from mcpp.api.services import ApiServices
from mcpp.api.static_files import StaticFiles, accepts_gzip
from mcpp.domain.events import HeartbeatReceived, MeterValuesReceived
from mcpp.domain.memory import NO_EVSE
from mcpp.phrases import translated
from mcpp.reads.connector_names import connector_name, connector_number
from mcpp.reads.event_json import EVENT_NAMES, event_name
from mcpp.story.endings import REASONS
from mcpp.web.charger_words import ERRORS, plain
from mcpp.web.sharing import SharedWork
from mcpp.web.spelling import Spelling
from mcpp.web.viewer import LANGUAGES, Viewer, viewer_of
from mcpp.web.wording import sentence_case
from mcpp_generated.db.enums import Role

STATIC_PATH: Final = "/static"

DOMAIN: Final = "mcpp"
"""Of the message catalogues."""

_SMALL: Final = 1000
"""Bytes that aren't worth compressing."""

_LEVEL: Final = 5
"""Of a page's compression: a hundred KiB in two milliseconds."""

_EVENT_NAMES: Final = " ".join(sorted(EVENT_NAMES - {event_name(HeartbeatReceived)}))
"""That pages wait for; a heartbeat changes nothing that they show."""

_STATE_EVENTS: Final = " ".join(
    sorted(EVENT_NAMES - {event_name(kind) for kind in (HeartbeatReceived, MeterValuesReceived)})
)
"""That may change the state in which something is shown."""


def translations(language: str) -> gettext.NullTranslations:
    """The texts of a language of LANGUAGES; English ones are their own."""
    if language == "en":
        return gettext.NullTranslations()
    path = files("mcpp.web").joinpath("locales", language, "LC_MESSAGES", f"{DOMAIN}.mo")
    with path.open("rb") as catalogue:
        return gettext.GNUTranslations(catalogue)


class Renderer:
    """Renders the templates of `mcpp/web/templates`."""

    def __init__(self) -> None:
        self.static = StaticFiles(STATIC_PATH, files("mcpp.web").joinpath("static"))
        self._environments: dict[str, Environment] = {}
        self._texts: dict[str, gettext.NullTranslations] = {}
        self.shared: Final[SharedWork[Mapping[str, Markup]]] = SharedWork()
        """Pages and parts of pages, by their names, that several see in the same moment."""

    def viewer(self, request: Request) -> Viewer:
        """Who looks."""
        return viewer_of(request)

    def texts(self, viewer: Viewer) -> gettext.NullTranslations:
        """What translates: `.gettext("…")` and `.ngettext("…", "…", count)`."""
        known = self._texts.get(viewer.language)
        if known is None:
            known = self._texts[viewer.language] = translations(viewer.language)
        return known

    def text(self, viewer: Viewer, template: str, context: Mapping[str, object]) -> str:
        """A template for a viewer; `context` has what it names."""
        spelling = Spelling(viewer)
        given = {"viewer": viewer, "spell": spelling, "languages": LANGUAGES, "version": __version__, **context}
        return self._environment(viewer).get_template(template).render(given)

    def page(
        self,
        request: Request,
        template: str,
        context: Mapping[str, object],
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        """The answer to a request: the template with `context`, `path` and `role`, compressed where that is taken."""
        viewer = self.viewer(request)
        text = self.text(viewer, template, {"path": request.url.path, **of_caller(request), **context})
        return html(request, text, status)

    def _environment(self, viewer: Viewer) -> Environment:
        known = self._environments.get(viewer.language)
        if known is None:
            known = _environment(self.static.address)
            install: Callable[..., None] = known.install_gettext_translations  # type: ignore[attr-defined]  # i18n's
            install(self.texts(viewer), newstyle=True)
            translate = self.texts(viewer).gettext
            known.globals["connector"] = partial(_connector, translate)
            known.globals["connector_number"] = partial(_number, translate)
            known.globals["in_words"] = partial(translated, translate=lambda it: translate(REASONS.get(it, it)))
            known.globals["error_in_words"] = plain(ERRORS, translate)
            known.globals["reason_in_words"] = plain(REASONS, translate)
            self._environments[viewer.language] = known
        return known


def html(request: Request, text: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """A page, or a part of one."""
    body = text.encode()
    headers = {"Content-Security-Policy": PAGES, "Vary": "Accept-Encoding, Accept-Language, Cookie"}
    if len(body) > _SMALL and accepts_gzip(request.headers):
        body = gzip.compress(body, _LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return HTMLResponse(body, status, headers)


def of_caller(request: Request) -> dict[str, object]:
    """What the page may offer."""
    caller = caller_in(request.scope)
    services: ApiServices = request.app.state.services
    login = login_in(request.scope, request.headers, services.credentials.known)
    return {"role": str(Role.VIEWER if caller is None else caller.role), "signed_in": login is not None}


class _Connector(Protocol):
    """Anything that says at which connector it is."""

    @property
    def connector_id(self) -> int: ...
    @property
    def evse_id(self) -> int | None: ...


def _connector(translate: Callable[[str], str], it: _Connector, several: bool | None = None) -> str:
    """What a connector is called, in the viewer's language."""
    return connector_name(it.connector_id, it.evse_id or NO_EVSE, several=several, translate=translate)


def _number(translate: Callable[[str], str], it: _Connector) -> str:
    """The same where there is little room."""
    return connector_number(it.connector_id, it.evse_id or NO_EVSE, translate=translate)


def _environment(address: Callable[[str], str]) -> Environment:
    environment = Environment(
        loader=PackageLoader("mcpp.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    environment.globals["static"] = address
    environment.filters["sentence_case"] = sentence_case
    environment.globals["event_names"] = _EVENT_NAMES
    environment.globals["state_events"] = _STATE_EVENTS
    environment.policies["ext.i18n.trimmed"] = True
    return environment
