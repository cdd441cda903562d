"""An embedded DynamoDB: moto's server on a thread of this process."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from werkzeug.serving import BaseWSGIServer

_MISSING = 'moto is not installed; install it with: pip install "dynamorm-async[testing]"'


_TURN: Final = threading.Lock()  # moto's tables belong to the process, and so does the lock of them


class MotoServer:
    """moto's DynamoDB on a free loopback port, as a context manager.

    It keeps its tables in memory. They belong to the process, not to the server: two servers in one process show
    the same tables, and ``reset`` of one empties both. moto is no oracle: it accepts much that DynamoDB refuses,
    and it ignores the tokens of transactions, so that one that is sent again (also by ``exactly_once=True``) counts twice.

    Example::

        with MotoServer() as server:
            asyncio.run(main(server.endpoint))
    """

    def __init__(self) -> None:
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._log_level = logging.NOTSET

    @property
    def endpoint(self) -> str:
        """The server's URL, for example ``http://127.0.0.1:41234``.

        Raises:
            RuntimeError: the server is not running.
        """
        if self._server is None:
            raise RuntimeError("the moto server is not running; use it as `with MotoServer() as server:`.")
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Import moto and start to serve; does nothing while it is running.

        Blocks for about half a second; inside a running event loop, call it through ``anyio.to_thread.run_sync``.

        Raises:
            ImportError: moto is not installed; the message says how to install it.
        """
        if self._server is not None:
            return
        try:
            # An optional extra, and slow to import.
            from moto.moto_server.werkzeug_app import (  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
                DomainDispatcherApplication,
                create_backend_app,
            )
            from werkzeug.serving import make_server  # noqa: PLC0415
        except ImportError as error:
            raise ImportError(_MISSING) from error
        # werkzeug prints a line for every request unless its logger is told not to.
        log = logging.getLogger("werkzeug")
        self._log_level = log.level
        log.setLevel(logging.ERROR)
        app = _one_at_a_time(_with_one_server_header(DomainDispatcherApplication(create_backend_app)))
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, name="moto", daemon=True)
        thread.start()
        self._server, self._thread = server, thread

    def stop(self) -> None:
        """Stop serving and drop all tables; does nothing where it is not running.

        Blocks for up to half a second; inside a running event loop, call it through ``anyio.to_thread.run_sync``.
        """
        if self._server is None:
            return
        server, self._server = self._server, None
        server.shutdown()
        if self._thread is not None:
            self._thread.join()
        server.server_close()
        logging.getLogger("werkzeug").setLevel(self._log_level)
        _drop_tables()

    def reset(self) -> None:
        """Drop all DynamoDB tables, in every account and region. Takes microseconds and no request.

        Raises:
            RuntimeError: the server is not running.
        """
        if self._server is None:
            raise RuntimeError("the moto server is not running; there is nothing to reset.")
        _drop_tables()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def _with_one_server_header(app: WSGIApplication) -> WSGIApplication:
    """The application without a ``Server`` header of its own: the server sends one, and aiohttp in debug mode refuses two."""

    def served(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:  # as WSGI has it
            kept = [(name, value) for name, value in headers if name.lower() != "server"]
            return start_response(status, kept, exc_info)

        return app(environ, start)

    return served


def _one_at_a_time(app: WSGIApplication) -> WSGIApplication:
    """The application without two requests in it at once: moto changes its tables step by step and without locks.

    The server has a thread for each connection. Without this, a condition is judged on what another request is about to
    change, a query sees items half written, and a transaction meets a dictionary that grows.
    """

    def served(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if length := environ.get("CONTENT_LENGTH"):  # read before, so that a client that stops sending holds up nobody
            environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(length)))
        with _TURN:
            answer = app(environ, start_response)
            try:
                return list(answer)
            finally:
                close = getattr(answer, "close", None)  # as WSGI has it, where there is one
                if close is not None:
                    close()

    return served


def _drop_tables() -> None:
    from moto.dynamodb.models import dynamodb_backends  # noqa: PLC0415 - an optional extra, and slow to import

    for account in list(dynamodb_backends.values()):
        account.reset()
