"""Everything that goes wrong under /api/, in one shape: ``{"error": {"code", "message", "hint", "fields"}}``."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from ninja import Field, NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError

from synthesis.errors import InvalidInput, NotFound, PortalError, RateLimited, TooLarge

logger = logging.getLogger(__name__)


class Unauthorized(PortalError):
    """Nobody, or nobody we know."""

    code = "unauthorized"
    http_status = 401


class WrongMethod(PortalError):
    code = "method_not_allowed"
    http_status = 405


class OurFault(PortalError):
    code = "server_error"
    http_status = 500


class Problem(Schema):
    """What went wrong, in the caller's language (``Accept-Language``)."""

    code: str = Field(description="A word for programs; never translated.", examples=["bad_request"])
    message: str = Field(description="A sentence for people.", examples=["This must be a number from 0.5 to 2.0."])
    hint: str = Field(description="What can be done about it; may be empty.", examples=[""])
    fields: dict[str, str] = Field(
        description="What is wrong with which field of the request.",
        examples=[{"speed": "This must be a number from 0.5 to 2.0."}],
    )


class ErrorAnswer(Schema):
    error: Problem


def answers(success: Mapping[int, Any], *errors: int) -> dict[int, Any]:
    """The responses of an operation: its own, those every operation has, and ``errors``."""
    return {**success, **dict.fromkeys(sorted({401, 500, *errors}), ErrorAnswer)}


def install(api: NinjaAPI) -> None:
    """Let an API answer every error in our shape."""
    api.add_exception_handler(PortalError, lambda _request, problem: respond(_one(problem)))
    api.add_exception_handler(Exception, _unexpected)
    api.add_exception_handler(Http404, lambda _request, _problem: respond(unknown_address()))
    api.add_exception_handler(RequestDataTooBig, lambda _request, _problem: respond(too_large()))
    api.add_exception_handler(SuspiciousOperation, lambda _request, _problem: respond(unreadable()))
    api.add_exception_handler(MultiPartParserError, lambda _request, _problem: respond(unreadable()))
    api.add_exception_handler(ValidationError, lambda _request, problem: respond(_invalid(_one(problem).errors)))
    api.add_exception_handler(HttpError, lambda _request, problem: respond(_from_ninja(_one(problem))))


def body_of(problem: PortalError) -> dict[str, dict[str, object]]:
    """A problem in the one shape, in the active language."""
    told: dict[str, object] = {
        "code": problem.code,
        "message": str(problem.message),
        "hint": str(problem.hint),
        "fields": {name: str(text) for name, text in problem.fields.items()},
    }
    return {"error": told}


def respond(problem: PortalError) -> HttpResponse:
    """A problem as its HTTP response, in the active language."""
    headers = {"WWW-Authenticate": "Bearer"} if problem.http_status == 401 else {}
    return JsonResponse(
        body_of(problem), status=problem.http_status, headers=headers, json_dumps_params={"ensure_ascii": False}
    )


def not_logged_in() -> Unauthorized:
    return Unauthorized(
        gettext_lazy("Please log in."), hint=gettext_lazy("Programs send the header “Authorization: Bearer <API key>”.")
    )


def unknown_address() -> NotFound:
    return NotFound(gettext_lazy("There is nothing at this address."), hint=gettext_lazy("See /api/docs."))


def wrong_method() -> WrongMethod:
    return WrongMethod(gettext_lazy("This address does not accept this method."), hint=gettext_lazy("See /api/docs."))


def too_large() -> TooLarge:
    return TooLarge(gettext_lazy("The request is too large."))


def unreadable() -> PortalError:
    return PortalError(gettext_lazy("The body of the request cannot be read."))


def _unexpected(request: HttpRequest, problem: Exception | type[Exception]) -> HttpResponse:
    logger.error("%s %s failed.", request.method, request.path, exc_info=_one(problem))
    return respond(
        OurFault(
            _("Something went wrong in the portal."),
            hint=_("Try again. If it happens again, tell an administrator when it was."),
        )
    )


def _from_ninja(problem: HttpError) -> PortalError:
    if isinstance(problem, AuthenticationError):
        return not_logged_in()
    if isinstance(problem, Throttled):
        return RateLimited(_("Too many requests in a short time."), hint=_("Wait a minute and try again."))
    return PortalError(_("The body of the request must be a JSON object."))


def _invalid(errors: Iterable[Mapping[str, Any]]) -> PortalError:
    fields = {_field(error["loc"]): _message(error) for error in errors}
    if "" in fields:  # not a field is wrong but the whole
        return PortalError(_("The body of the request must be a JSON object."))
    return InvalidInput(next(iter(fields.values())), fields=fields)


_WRAPPERS = frozenset({"body", "query", "path", "header", "form", "file"})
"""Where a value came from, and the name our operations give to a whole body or query."""


def _field(location: Iterable[int | str]) -> str:
    """The name of a field as the caller wrote it: ``texts.3``."""
    parts = [str(part) for part in location]
    if parts == ["file", "file"]:  # a field that is called like the place it comes from
        return "file"
    while parts and parts[0] in _WRAPPERS:
        parts.pop(0)
    return ".".join(parts)


def _message(error: Mapping[str, Any]) -> str:
    """Pydantic's complaint, in our words and the caller's language."""
    limits = error.get("ctx", {})
    kind = error["type"]
    if kind in {"greater_than_equal", "less_than_equal"}:
        return (
            _("This must be at least %(low)s.") % {"low": limits["ge"]}
            if "ge" in limits
            else (_("This must be at most %(high)s.") % {"high": limits["le"]})
        )
    if kind in {"string_too_long", "too_long"}:
        return _("At most %(limit)s characters are possible.") % {"limit": limits["max_length"]}
    if kind in {"enum", "literal_error"}:
        return _("This must be one of: %(words)s.") % {
            "words": str(limits["expected"]).replace("'", "").replace(" or ", ", ")
        }
    return str(_MESSAGES.get(kind, gettext_lazy("This value is not valid.")))


_MESSAGES: dict[str, Promise] = {
    "missing": gettext_lazy("This field is required."),
    "string_type": gettext_lazy("This must be text."),
    "int_parsing": gettext_lazy("This must be a whole number."),
    "int_parsing_size": gettext_lazy("This must be a whole number."),
    "int_type": gettext_lazy("This must be a whole number."),
    "int_from_float": gettext_lazy("This must be a whole number."),
    "bool_parsing": gettext_lazy("This must be true or false."),
    "bool_type": gettext_lazy("This must be true or false."),
    "list_type": gettext_lazy("This must be a list."),
    "datetime_from_date_parsing": gettext_lazy("This must be a time, as in 2026-01-31T08:00:00Z."),
    "datetime_parsing": gettext_lazy("This must be a time, as in 2026-01-31T08:00:00Z."),
    "datetime_type": gettext_lazy("This must be a time, as in 2026-01-31T08:00:00Z."),
}


def _one(problem: Any) -> Any:
    """Ninja types what it hands to handlers as an exception or its class; it is always the exception."""
    return problem
