"""How each exchange words its refusals."""

from http import HTTPStatus

from aiohttp import web

from project.sandbox.breaking import html
from project.sandbox.clock import wall_ms
from project.sandbox.faults import Facts, Fault

BANNED_S = 120

_BINANCE = {
    400: ("-1100", "Illegal characters found in a parameter."),
    403: ("0", "Forbidden"),
    429: (
        "-1003",
        (
            "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."
            " Please use WebSocket Streams for live updates to avoid polling the API."
        ),
    ),
    451: (
        "0",
        (
            "Service unavailable from a restricted location according to 'b. Eligibility' in"
            " https://www.binance.com/en/terms. Please contact customer service if you believe"
            " you received this message in error."
        ),
    ),
}
_BINANCE_CODES = {
    "-1000": "An unknown error occurred while processing the request.",
    "-1001": "Internal error; unable to process your request. Please try again.",
    "-1003": _BINANCE[429][1],
    "-1120": "Invalid interval.",
    "-1121": "Invalid symbol.",
}
_OKX = {
    429: ("50011", "Too Many Requests"),
    503: ("50001", "Service temporarily unavailable. Try again later."),
}
_OKX_CODES = {
    "50001": _OKX[503][1],
    "50011": _OKX[429][1],
    "50026": "System error. Try again later.",
    "51000": "Parameter bar error",
    "51001": "Instrument ID, Instrument ID code, or Spread ID doesn't exist.",
}


def binance_error(code: str, message: str, *, status: int = 400) -> web.Response:
    """Return an error in Binance's shape."""
    return web.json_response({"code": int(code), "msg": message}, status=status)


def okx_error(code: str, message: str, *, status: int = 200) -> web.Response:
    """Return an error in OKX's shape."""
    return web.json_response({"msg": message, "code": code, "data": []}, status=status)


def refuse(fault: Fault, facts: Facts) -> web.Response:
    """Return the answer that the asked exchange gives with the fault's status."""
    if (
        fault.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        and fault.code is None
        and (facts.venue, fault.status) != ("okx", HTTPStatus.SERVICE_UNAVAILABLE)
    ):
        response = _server_error(fault.status)
    elif facts.venue == "okx":
        response = _okx(fault)
    else:
        response = _binance(fault)
    if fault.retry_after_s is not None:
        response.headers["Retry-After"] = str(fault.retry_after_s)
    return response


def _server_error(status: int) -> web.Response:
    title = f"{status} {HTTPStatus(status).phrase}"
    return html(
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1>"
        "</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
        status=status,
    )


def _forbidden() -> web.Response:
    return html(
        "<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1>"
        "</center><p>Request blocked.</p></body></html>",
        status=403,
    )


def _binance(fault: Fault) -> web.Response:
    if fault.status == HTTPStatus.IM_A_TEAPOT:
        return _banned(fault)
    if fault.status == HTTPStatus.FORBIDDEN and fault.code is None:
        return _forbidden()
    code, message = _BINANCE.get(fault.status, ("-1000", _BINANCE_CODES["-1000"]))
    if fault.code is not None:
        code, message = fault.code, _BINANCE_CODES.get(fault.code, "Error.")
    return binance_error(code, message, status=fault.status)


def _banned(fault: Fault) -> web.Response:
    left_s = BANNED_S if fault.retry_after_s is None else fault.retry_after_s
    until_ms = fault.banned_until_ms or wall_ms() + left_s * 1000
    message = (
        f"Way too much request weight used; IP banned until {until_ms}. Please use WebSocket"
        " Streams for live updates to avoid bans."
    )
    response = binance_error("-1003", message, status=418)
    response.headers["Retry-After"] = str(left_s)
    return response


def _okx(fault: Fault) -> web.Response:
    if fault.status == HTTPStatus.FORBIDDEN and fault.code is None:
        return _forbidden()
    code, message = _OKX.get(fault.status, ("50026", _OKX_CODES["50026"]))
    if fault.code is not None:
        code, message = fault.code, _OKX_CODES.get(fault.code, "Error")
    return okx_error(code, message, status=fault.status)
