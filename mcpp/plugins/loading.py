"""Finds the plugins that a deployment wants, makes them and checks them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import pluggy
from pydantic import ValidationError

from mcpp.errors import StartError
from mcpp.plugins.hookspecs import PROJECT, HookSpecs
from mcpp.plugins.settings import are_set, mistakes_in_names, mistakes_in_values
from mcpp.plugins.site import Site

ENTRY_POINTS: Final = "mcpp.plugins"
"""The group by which installed packages offer their plugins."""

BUILT_INS: Final = "built-ins"
NONE: Final = "none"

_BUILT_IN: Final = {
    "auto_start": "mcpp.plugins.builtin.auto_start:AutoStart",
    "configure": "mcpp.plugins.builtin.configure:Configure",
    "load_limit": "mcpp.plugins.builtin.load_limit:LoadLimit",
    "mqtt": "mcpp.plugins.builtin.mqtt:Mqtt",
    "notify": "mcpp.plugins.builtin.notify:Notify",
    "offline_alert": "mcpp.plugins.builtin.offline_alert:OfflineAlert",
    "webhook": "mcpp.plugins.builtin.webhook:Webhook",
}
"""A name for what stands in mcpp.plugins.builtin; made as anybody's plugin by `module:attribute`."""

_ALWAYS: Final = frozenset({"auto_start", "offline_alert"})
"""Built-ins that are of use without settings; `built-ins` takes the others only where theirs are set."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that is ready to run."""

    name: str
    """In log lines, metrics and the names of its variables."""
    hooks: Mapping[str, Hook]
    trusted: bool
    """Built in: runs on the server's loop."""


class Hook:
    """A plugin's function that is called for an event, a question, or the server's start and end."""

    __slots__ = ("call", "is_async", "name")

    def __init__(self, name: str, function: Callable[..., object], arguments: Sequence[str]) -> None:
        """`arguments` are those that the function takes, in its order."""
        self.name: Final = name
        self.call: Final = _arranged(function, tuple(arguments))
        """Call it with what it's about and the plugin's Site, as far as it takes them."""
        self.is_async: Final = inspect.iscoroutinefunction(function)
        """Whether its call does nothing yet but make a coroutine; a plain function may return an awaitable, too."""


def _arranged(function: Callable[..., object], arguments: tuple[str, ...]) -> Callable[[object, Site], object]:
    """The function as one that takes an event or a question, and the site."""
    match arguments:
        case ():
            return lambda _about, _site: function()
        case ("site",):
            return lambda _about, site: function(site)
        case (_,):
            return lambda about, _site: function(about)
        case ("site", _):
            return lambda about, site: function(site, about)
        case _:
            return function


class _PluginRefused(Exception):
    """A plugin can't be used; the message says why."""


def load_plugins(
    wanted: Sequence[str], environment: Mapping[str, str], makers: Mapping[str, Callable[[], object]] | None = None
) -> list[Plugin]:
    """The plugins of the setting `plugins`, in its order.

    `makers` make built-ins that get settings of the server. Raises StartError with a line for each mistake.
    """
    mistakes: list[str] = []
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(HookSpecs)
    names = []
    installed = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    items = _enabled(wanted, environment, mistakes)
    # pluggy asks those first that came last, so that `plugins` has them in the order in which they're asked.
    for item in reversed(items):
        name = _name(item)
        try:
            if name in names:
                raise _PluginRefused("there are two of that name")
            made = _make(item, installed, makers or {})
            _register(manager, name, made)
            names.append(name)
        except ValidationError as error:
            mistakes += mistakes_in_values(name, error)
        except StartError as error:
            mistakes += (f"plugin {name}: {line}" for line in error.lines)
        except _PluginRefused as error:
            mistakes.append(f"plugin {name}: {error}")
    mistakes += mistakes_in_names({*_BUILT_IN, *installed}, map(_name, items), environment)
    if mistakes:
        raise StartError(*mistakes)
    return [Plugin(name, _hooks(manager, name), name in _BUILT_IN) for name in reversed(names)]


def _enabled(wanted: Sequence[str], environment: Mapping[str, str], mistakes: list[str]) -> list[str]:
    """The list with `built-ins` spelled out and what was taken away gone."""
    enabled: dict[str, None] = {}
    for item in wanted:
        if item == BUILT_INS:
            enabled |= dict.fromkeys(name for name in _BUILT_IN if name in _ALWAYS or are_set(name, environment))
        elif item.startswith("-"):
            if item[1:] not in _BUILT_IN and item[1:] not in enabled:
                mistakes.append(f"plugins: {item} takes away what is not there")
            enabled.pop(item[1:], None)
        elif item != NONE:
            enabled[item] = None
    return list(enabled)


def _name(item: str) -> str:
    """`billing` for the plugin `site.billing:plugin`."""
    return item.partition(":")[0].rpartition(".")[2] if ":" in item else item


def _make(item: str, installed: Mapping[str, EntryPoint], makers: Mapping[str, Callable[[], object]]) -> object:
    if item in makers:
        return makers[item]()
    point = installed.get(item)
    if item in _BUILT_IN:
        point = EntryPoint(item, _BUILT_IN[item], ENTRY_POINTS)
    elif ":" in item:
        point = EntryPoint(_name(item), item, ENTRY_POINTS)
    if point is None:
        known = ", ".join(sorted({*_BUILT_IN, *installed}))
        raise _PluginRefused(f"there is none of that name; there are {known}, or give module:attribute")
    found = _load(point)
    if not inspect.isclass(found) and not inspect.isroutine(found):
        return found
    try:
        return found()
    except (ValidationError, StartError):
        raise
    except Exception as error:
        raise _PluginRefused(f"{point.value} can't be made ({_one_line(error)})") from error


def _load(point: EntryPoint) -> object:
    try:
        found: object = point.load()
    except (Exception, SystemExit) as error:
        raise _PluginRefused(f"{point.value} can't be imported ({_one_line(error)})") from error
    return found


def _register(manager: pluggy.PluginManager, name: str, made: object) -> None:
    try:
        manager.register(made, name)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        if manager.has_plugin(name):
            manager.unregister(name=name)
        raise _PluginRefused(_one_line(error)) from error
    callers = manager.get_hookcallers(made) or ()
    if not callers:
        raise _PluginRefused("it has no hooks; are its functions marked with @hookimpl?")
    for hook in _implementations(callers, name):
        if hook.wrapper or hook.hookwrapper:
            raise _PluginRefused(f"{hook.function.__name__} is a wrapper, which no hook here can be")


def _implementations(callers: Iterable[pluggy.HookCaller], plugin: str) -> Iterator[pluggy.HookImpl]:
    return (hook for caller in callers for hook in caller.get_hookimpls() if hook.plugin_name == plugin)


def _hooks(manager: pluggy.PluginManager, name: str) -> dict[str, Hook]:
    callers = manager.get_hookcallers(manager.get_plugin(name)) or ()
    return {
        caller.name: Hook(caller.name, hook.function, hook.argnames)
        for caller in callers
        for hook in _implementations((caller,), name)
    }


def _one_line(error: BaseException) -> str:
    """An exception in one line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, pluggy.PluginValidationError) else f"{type(error).__name__}: {text}"
