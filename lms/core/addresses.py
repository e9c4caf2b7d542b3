"""Pages whose code is loaded when somebody first asks for one of them.

To know which page lies at which address, every feature's views must be loaded. One start writes
down what it found; the next reads that, and loads a feature when one of its pages is asked for.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from flask import Blueprint, Flask

from lms.core import late


@dataclass(frozen=True, slots=True)
class Rule:
    """One address of a page."""

    address: str
    endpoint: str
    methods: list[str]
    defaults: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Feature:
    """The pages of one module of views, as a start found them."""

    module: str
    name: str
    """Of the blueprint, which stands before the dot of its endpoints."""
    root: str
    templates: str | None
    rules: list[Rule]


def digest(package: Path) -> str:
    """Return a hash over every module of views: the addresses stand in them and nowhere else."""
    found = hashlib.sha256()
    for path in sorted((*package.rglob("views.py"), *package.rglob("views/*.py"))):
        found.update(f"{path.relative_to(package)}\0".encode())
        found.update(path.read_bytes() + b"\0")
    return found.hexdigest()


def describe(app: Flask, blueprints: Mapping[str, Blueprint]) -> list[Feature]:
    """Return what an application has that registered these blueprints, by module of views."""
    rules: dict[str, list[Rule]] = {}
    for rule in app.url_map.iter_rules():
        blueprint, _dot, endpoint = rule.endpoint.rpartition(".")
        methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        defaults = dict(rule.defaults or {})
        rules.setdefault(blueprint, []).append(Rule(rule.rule, endpoint, methods, defaults))
    return [
        Feature(
            module=module,
            name=bp.name,
            root=str(bp.root_path),
            templates=None if bp.template_folder is None else str(bp.template_folder),
            rules=rules[bp.name],
        )
        for module, bp in blueprints.items()
    ]


def write(path: Path, made_of: str, features: Sequence[Feature]) -> None:
    """Remember features for the next start; another process may do the same at the same time."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    body = {"made_of": made_of, "features": [asdict(one) for one in features]}
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(json.dumps(body), encoding="utf-8")
    fresh.replace(path)


def read(path: Path, made_of: str) -> list[Feature] | None:
    """Return what an earlier start remembered of the same views; None when there is nothing."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body["made_of"] != made_of:
            return None
        return [
            Feature(**{**one, "rules": [Rule(**rule) for rule in one["rules"]]})
            for one in body["features"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # nobody has written it, or it is damaged: a slower start, no more


class Waiting:
    """Features of an application that are not loaded yet."""

    def __init__(self, app: Flask, features: Iterable[Feature]) -> None:
        """Register the addresses of `features`; their views come later."""
        self._app = app
        self._module_of: dict[str, str] = {}
        for feature in features:
            bp = Blueprint(
                feature.name,
                feature.module,
                root_path=feature.root,
                template_folder=feature.templates,
            )
            for rule in feature.rules:
                bp.add_url_rule(
                    rule.address,
                    rule.endpoint,
                    _not_loaded,
                    methods=rule.methods,
                    defaults=rule.defaults,
                )
                self._module_of[f"{feature.name}.{rule.endpoint}"] = feature.module
            app.register_blueprint(bp)

    def need(self, endpoint: str | None) -> None:
        """Load the feature of an endpoint if it is not loaded yet."""
        if endpoint not in self._module_of:
            return
        with late.loading():
            module = self._module_of.get(endpoint)
            if module is None:
                return  # somebody else has loaded it meanwhile
            bp: Blueprint = import_module(module).bp
            bare = Flask(module, static_folder=None)
            bare.register_blueprint(bp)
            _move(bare, self._app, bp.name)
            for name, view in bare.view_functions.items():
                self._app.view_functions[name] = view
                del self._module_of[name]


OF_A_BLUEPRINT = (
    "after_request_funcs",
    "before_request_funcs",
    "teardown_request_funcs",
    "template_context_processors",
    "url_default_functions",
    "url_value_preprocessors",
)


class TooLate(Exception):
    """A blueprint acts on pages of others: it would not until one of its own was asked for."""


def _move(source: Flask, target: Flask, name: str) -> None:
    """Give `target` what a blueprint brings besides its views. Raises TooLate.

    The names its templates know join those of all, as with `register_blueprint`.
    """
    fresh = Flask(name, static_folder=None)
    for kind in OF_A_BLUEPRINT:
        found = getattr(source, kind)
        if len(found.get(None, ())) != len(getattr(fresh, kind).get(None, ())):
            raise TooLate(f"{name} adds to the application's {kind}: say so in lms.hooks")
        if name in found:
            getattr(target, kind)[name] = list(found[name])
    target.error_handler_spec[name] = source.error_handler_spec[name]
    if None in source.error_handler_spec:
        raise TooLate(f"{name} answers errors of others: say so in lms.hooks")
    known = target.jinja_env
    for what in ("globals", "filters", "tests"):
        theirs = getattr(source.jinja_env, what)
        ours = getattr(known, what)
        ours.update({key: theirs[key] for key in theirs.keys() - ours.keys()})


def _not_loaded(**_values: object) -> NoReturn:
    raise RuntimeError("the feature of this page is not loaded")
