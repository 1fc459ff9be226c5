"""From `MODULE:ATTR` to the application object, and from every mistake on the way to a sentence a human understands.

MODULE              `application` in MODULE, or `app`
MODULE:ATTR.SUB     that attribute
MODULE:factory()    what calling it gives; arguments are literals: MODULE:factory("production", debug=False)
"""

from __future__ import annotations

import ast
import importlib
import sys
from typing import Any

from maitred.worker.complaint import describe

#: gunicorn's exit codes: APP_LOAD_ERROR and WORKER_BOOT_ERROR.
EXIT_CODES = {"app": 4, "boot": 3}

_DEFAULT_NAMES = ("application", "app")


class LoadError(Exception):
    """The application could not be had. `kind` is "app" (the target names none) or "boot" (it raised)."""

    def __init__(self, kind: str, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.traceback = traceback

    @property
    def exit_code(self) -> int:
        """What the process ends with."""
        return EXIT_CODES[self.kind]

    def as_message(self) -> dict[str, Any]:
        """The `failed` message."""
        return {"type": "failed", "kind": self.kind, "message": self.message, "traceback": self.traceback}


def load(target: str, factory: bool) -> Any:
    """The application that `target` names."""
    module_name, expression = _split(target)
    names, arguments = _parse(target, expression)
    module = _import(module_name)
    application = _resolve(target, module, names)
    if factory and arguments is None:
        arguments = ([], {})
    if arguments is not None:
        application = _call(target, application, *arguments)
    if application is None:
        raise LoadError("app", f"{target!r} is None, not an application")
    if not callable(application):
        raise LoadError(
            "app", f"{target!r} is not callable: it is a {type(application).__name__}{_hint(module, names)}"
        )
    return application


def _split(target: str) -> tuple[str, str]:
    module, _, expression = target.partition(":")
    if "/" in module or "\\" in module or module.endswith(".py"):
        path = module[:-3] if module.endswith(".py") else module
        dotted = ".".join(part for part in path.replace("\\", "/").split("/") if part not in ("", "."))
        advice = f"{dotted}:{expression or 'app'}"
        raise LoadError(
            "app", f"{module!r} is a file name, and the application is named by its module: write {advice!r}"
        )
    if not module or not all(part.isidentifier() for part in module.split(".")):
        raise LoadError(
            "app",
            f"{target!r} does not name an application: write MODULE:ATTR, for instance 'myproject.wsgi:application'",
        )
    return module, expression


def _parse(target: str, expression: str) -> tuple[list[str], tuple[list[Any], dict[str, Any]] | None]:
    """Attribute names, and the factory's arguments if it is a call."""
    if not expression:
        if target.endswith(":"):
            raise LoadError("app", f"nothing follows the colon in {target!r}: write MODULE:ATTR")
        return [], None
    try:
        node: ast.expr = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        raise _malformed(target, expression) from None
    arguments: tuple[list[Any], dict[str, Any]] | None = None
    if isinstance(node, ast.Call):
        try:
            if any(keyword.arg is None for keyword in node.keywords):
                raise ValueError
            positional = [ast.literal_eval(argument) for argument in node.args]
            arguments = positional, {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in node.keywords}
        except (ValueError, TypeError, SyntaxError):
            raise LoadError(
                "app", f"the arguments in {target!r} must be literals: strings, numbers, True, None, lists, dicts"
            ) from None
        node = node.func
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise _malformed(target, expression)
    return [node.id, *names], arguments


def _malformed(target: str, expression: str) -> LoadError:
    return LoadError(
        "app", f"{expression!r} in {target!r} is neither an attribute nor a call: write MODULE:ATTR or MODULE:factory()"
    )


def _import(name: str) -> Any:
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(missing + "."):
            looked = ", ".join(sys.path[:2]) or "nothing: sys.path is empty"
            message = f"module {missing!r} not found; looked in {looked} and the folders of {sys.executable}"
            raise LoadError("boot", message) from None
        message = f"{name!r} was found, but it imports {missing!r}, which is not there for {sys.executable}"
        raise LoadError("boot", message, describe(error)) from None
    except SystemExit as error:
        raise LoadError(
            "boot", f"{name!r} called sys.exit({error.code!r}) while it was imported", describe(error)
        ) from None
    except BaseException as error:
        raise LoadError("boot", f"importing {name!r} raised {type(error).__name__}: {error}", describe(error)) from None


def _resolve(target: str, module: Any, names: list[str]) -> Any:
    if not names:
        for name in _DEFAULT_NAMES:
            if hasattr(module, name):
                names.append(name)
                return getattr(module, name)
        raise LoadError(
            "app",
            f"module {module.__name__!r} has neither 'application' nor 'app': write {module.__name__}:ATTR{_hint(module, [])}",
        )
    thing = module
    for depth, name in enumerate(names):
        try:
            thing = getattr(thing, name)
        except AttributeError:
            where = ".".join([module.__name__, *names[:depth]])
            raise LoadError("app", f"{where!r} has no attribute {name!r}{_hint(thing, names[depth:])}") from None
        except BaseException as error:
            raise LoadError(
                "boot", f"getting {name!r} for {target!r} raised {type(error).__name__}: {error}", describe(error)
            ) from None
    return thing


def _hint(owner: Any, wanted: list[str]) -> str:
    """What one may have meant: near names first, else what looks like an application."""
    from difflib import get_close_matches

    own = [name for name in vars(owner) if not name.startswith("_")] if hasattr(owner, "__dict__") else []
    near = get_close_matches(wanted[0], own, 3, 0.7) if wanted else []
    near = [name for name in near if name != wanted[0]]
    if near:
        return f"; did you mean {' or '.join(map(repr, near))}?"
    likely = [name for name in own if _may_be_application(owner, name)][:8]
    return f"; callables there: {', '.join(likely)}" if likely else ""


def _may_be_application(owner: Any, name: str) -> bool:
    value = vars(owner)[name]
    if not callable(value):
        return False
    defined_in = getattr(value, "__module__", None) if isinstance(value, type) or hasattr(value, "__code__") else None
    return defined_in in (None, getattr(owner, "__name__", None))


def _call(target: str, factory: Any, positional: list[Any], keywords: dict[str, Any]) -> Any:
    if not callable(factory):
        raise LoadError("app", f"the factory in {target!r} is not callable: it is a {type(factory).__name__}")
    try:
        return factory(*positional, **keywords)
    except TypeError as error:
        # Raised by the call itself, not within the function: only our frame is in the traceback.
        if error.__traceback__ is not None and error.__traceback__.tb_next is None:
            raise LoadError("app", f"the factory in {target!r} does not take these arguments: {error}") from None
        raise LoadError("boot", f"the factory in {target!r} raised TypeError: {error}", describe(error)) from None
    except SystemExit as error:
        raise LoadError("boot", f"the factory in {target!r} called sys.exit({error.code!r})", describe(error)) from None
    except BaseException as error:
        raise LoadError(
            "boot", f"the factory in {target!r} raised {type(error).__name__}: {error}", describe(error)
        ) from None
