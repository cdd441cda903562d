"""Connections that break, and answers that are none."""

from __future__ import annotations

from functools import partial
from typing import Final

from dynamorm_async.errors import BadResponse, CallTimeout, ConnectionLost, EndpointUnreachable
from tests.faults import answers
from tests.faults.answers import ok, page
from tests.faults.fault import Fault, before_and_after

CONNECTIONS: Final = (
    Fault(
        name="connection_refused",
        description="nobody listens on the port",
        applied=False,
        error=EndpointUnreachable,
        then="refuse",
        at="connect",
    ),
    Fault(
        name="reset_on_connect",
        description="a connection is accepted and reset before a byte of the request is read",
        applied=False,
        error=ConnectionLost,
        then="reset",
        at="connect",
    ),
    Fault(
        name="hang_on_connect",
        description="a connection is accepted, and then all is silent for ever",
        applied=False,
        error=CallTimeout,
        then="hold",
        at="connect",
    ),
    *before_and_after("reset", ConnectionLost, None, "a reset without a byte of an answer", then="reset"),
    *before_and_after(
        "close", ConnectionLost, None, "the connection is closed without a byte of an answer", then="close"
    ),
    Fault(
        name="keep_alive_closed_at_reuse",
        description="a kept connection is closed when the next request comes; a new connection is served",
        applied=False,
        error=ConnectionLost,
        then="close",
        reused_only=True,
    ),
    Fault(
        name="keep_alive_closed_after_answer",
        description="the whole answer, then the connection is closed, which no header had said",
        applied=True,
        error=None,
        make=answers.whole,
        then="close",
    ),
    *before_and_after(
        "half_answer", ConnectionLost, answers.half, "half the answer, then the connection is closed", then="close"
    ),
    *before_and_after(
        "cut_body", ConnectionLost, answers.cut, "the body ends a byte before its Content-Length", then="close"
    ),
    *before_and_after(
        "cut_body_reset", ConnectionLost, answers.cut, "the body without its last byte, then a reset", then="reset"
    ),
    *before_and_after("no_answer", CallTimeout, None, "no answer for ever", then="hold"),
    *before_and_after(
        "stalled_answer", CallTimeout, answers.half, "half the answer, then silence for ever", then="hold"
    ),
    *before_and_after(
        "dripping", CallTimeout, answers.endless_head, "an answer of single bytes that never ends", then="drip"
    ),
)

_UNREADABLE = b'{"Item":{"id":{"S":"\xff\xfe"}},"Attributes":{"id":{"S":"\xff\xfe"}}}'
_BOMB = b'{"Attributes":' + b'{"M":' * answers.NESTING + b"{}" + b"}" * answers.NESTING + b"}"

BODIES: Final = (
    *before_and_after("crc_wrong", BadResponse, answers.wrong_crc, "an answer with the CRC32 of another one"),
    *before_and_after(
        "crc_garbage", BadResponse, partial(answers.rewritten, x_amz_crc32="teapot"), "a CRC32 that is no number"
    ),
    Fault(
        name="crc_absent",
        description="the engine's answer without a CRC32; DynamoDB itself always sends one, a local engine may not",
        applied=True,
        error=BadResponse,
        may_pass=True,
        make=partial(answers.rewritten, x_amz_crc32=""),
    ),
    *before_and_after("ok_html", BadResponse, page("200 OK"), "200 with an HTML page"),
    *before_and_after("ok_empty", BadResponse, ok(b""), "200 with an empty body"),
    *before_and_after(
        "ok_cut_json", BadResponse, answers.cut_json, "200 with JSON that ends too early, its CRC32 right"
    ),
    *before_and_after(
        "ok_unclosed_json",
        BadResponse,
        answers.unclosed_json,
        "200 with JSON that lacks its last brace, its CRC32 right",
    ),
    *before_and_after("ok_array", BadResponse, ok(b"[]"), "200 with a JSON array"),
    *before_and_after("ok_null", BadResponse, ok(b"null"), "200 with null"),
    # Where a CRC32 vouches for it, only the decoder looks at the text of what was read.
    *before_and_after(
        "ok_bad_utf8", BadResponse, ok(_UNREADABLE, x_amz_crc32=""), "200 with text that is not UTF-8, without a CRC32"
    ),
    *before_and_after("ok_gzip", BadResponse, answers.zipped, "200 with a gzip body that no header says"),
    *before_and_after(
        "ok_nesting_bomb", BadResponse, ok(_BOMB), f"200 with JSON that is {answers.NESTING:,} levels deep"
    ),
    *before_and_after(
        "content_type_wrong",
        BadResponse,
        partial(answers.rewritten, Content_Type="text/plain"),
        "a whole answer that calls itself text/plain",
    ),
    *before_and_after("oversized", BadResponse, answers.oversized, "an answer of over 20 MiB, announced and sent"),
    *before_and_after(
        "endless", BadResponse, answers.endless_head, "an answer that goes on as fast as it is read", then="flood"
    ),
    Fault(
        name="too_many_headers",
        description="the engine's answer with ten thousand headers more",
        applied=True,
        error=BadResponse,
        may_pass=True,
        make=answers.crowded,
    ),
    *before_and_after(
        "status_line_bad", BadResponse, answers.raw(b"HTTP/9.9 tea\r\n\r\n"), "a status line that is none", then="close"
    ),
    *before_and_after(
        "not_http",
        BadResponse,
        answers.raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
        "the greeting of another protocol",
        then="close",
    ),
    Fault(
        name="interim_answers",
        description="100 Continue and 103 Early Hints, then the engine's answer",
        applied=True,
        error=None,
        make=answers.after_interim,
    ),
    Fault(
        name="set_cookie",
        description="the engine's answer with a cookie, which must never come back",
        applied=True,
        error=None,
        make=partial(answers.rewritten, Set_Cookie="tracked=yes; Path=/"),
    ),
)
